"""Documents come true in one piece, are recorded under a number, and can be brought back."""

from collections.abc import Sequence
from typing import Any

import pytest
from pydantic import BaseModel, Field

from sancho.identity import service as identity
from sancho.kit.access import Principal
from sancho.kit.db import Connection, Database, execute, fetch_value, fetch_values
from sancho.kit.errors import PermissionMissing
from sancho.vos import service
from sancho.vos.errors import (
    DocumentInUse,
    DocumentInvalid,
    DocumentPermanent,
    DocumentTwice,
    DocumentUnknown,
    KindUnknown,
    NotYourConfiguration,
    OwnerMissing,
    ReferenceUnknown,
    TooManyDocuments,
    VersionNotFound,
)
from sancho.vos.kinds import KINDS
from sancho.vos.model import Action, Change, Document, Kind, Named
from tests.world import World

ROOT = Principal(
    vo=0, vo_name="instance", account_id=1, account="root", permissions=frozenset("*"), vos=(0, 1, 2)
)  # fmt: skip
BELLE_ADMIN = Principal(
    vo=1, vo_name="belle", account_id=2, account="root", permissions=frozenset("*"), vos=(1,)
)  # fmt: skip


class GroupSpec(BaseModel, extra="forbid"):
    """Enough of a kind to see what apply does; its rows are real."""

    share: float = Field(default=1, ge=0)
    password: str | None = None


async def _put(conn: Connection, caller: Principal, vo: int, documents: Sequence[Named[GroupSpec]]) -> None:
    for d in documents:
        await execute(
            conn,
            """
            INSERT INTO account_group (vo, name, share) VALUES (%(vo)s, %(name)s, %(share)s)
            ON CONFLICT (name, vo) DO UPDATE SET share = excluded.share
            """,
            {"vo": vo, "name": d.name, "share": d.spec.share},
        )


async def _drop(conn: Connection, caller: Principal, vo: int, names: Sequence[str]) -> None:
    query = "DELETE FROM account_group WHERE vo = %(vo)s AND name = ANY(%(names)s)"
    await execute(conn, query, {"vo": vo, "names": list(names)})


TEAM = Kind(name="Team", model=GroupSpec, order=1, apply=_put, retire=_drop, secrets=frozenset({"password"}))
SHARED = Kind(name="Shared", model=GroupSpec, order=2, apply=_put, instance=True)
ALL: tuple[Kind[Any], ...] = (*KINDS, TEAM, SHARED)


def team(name: str, *, vo: str | None = "belle", remove: bool = False, **spec: Any) -> Document:
    return Document(kind="Team", name=name, vo=vo, spec=spec, remove=remove)


async def share_of(conn: Connection, name: str) -> float | None:
    return await fetch_value(conn, "SELECT share FROM account_group WHERE vo = 1 AND name = %(name)s", {"name": name})


async def test_a_new_document_comes_true_and_is_recorded(conn: Connection) -> None:
    applied = await service.apply(conn, ROOT, [team("higgs", share=2)], ALL, comment="first")

    assert [(c.action, c.vo, c.name, c.before, c.after) for c in applied.changes] == [
        (Action.CREATED, "belle", "higgs", None, {"share": 2.0})
    ]
    assert applied.version == await service.current_version(conn)
    assert await share_of(conn, "higgs") == 2
    assert await service.documents(conn, [1]) == [Document(kind="Team", name="higgs", vo="belle", spec={"share": 2.0})]
    [version] = await service.versions(conn, ROOT)
    assert (version.version, version.applied_by, version.comment) == (applied.version, "instance:root", "first")
    assert await service.changes(conn, ROOT, version.version) == applied.changes


async def test_applying_the_same_again_changes_nothing_and_makes_no_version(conn: Connection) -> None:
    documents = [team("higgs", share=2), team("top", password="p4ss")]
    first = await service.apply(conn, ROOT, documents, ALL)

    again = await service.apply(conn, ROOT, documents, ALL)

    assert again.changes == []
    assert again.version is None
    assert await service.current_version(conn) == first.version


async def test_a_dry_run_says_what_would_change_and_changes_nothing(conn: Connection) -> None:
    applied = await service.apply(conn, ROOT, [team("higgs", share=2)], ALL, dry_run=True)

    assert [c.action for c in applied.changes] == [Action.CREATED]
    assert applied.version is None
    assert await share_of(conn, "higgs") is None
    assert await service.current_version(conn) is None


async def test_a_dry_run_of_a_new_vo_leaves_no_vo(conn: Connection) -> None:
    documents = [Document(kind="VO", name="ska"), team("pulsars", vo="ska")]

    applied = await service.apply(conn, ROOT, documents, ALL, dry_run=True)

    assert len(applied.changes) == 2
    assert await service.find(conn, "ska") is None
    assert await fetch_value(conn, "SELECT current_setting('sancho.vo')") == "0,1,2"


async def test_a_vo_and_what_belongs_to_it_come_in_one_apply(conn: Connection) -> None:
    documents = [team("pulsars", vo="ska", share=3), Document(kind="VO", name="ska")]

    await service.apply(conn, ROOT, documents, ALL)

    ska = await service.get(conn, "ska")
    query = "SELECT share FROM account_group WHERE vo = %(vo)s AND name = 'pulsars'"
    assert await fetch_value(conn, query, {"vo": ska.vo}) == 3


async def test_when_one_document_fails_none_comes_true(conn: Connection) -> None:
    with pytest.raises(DocumentInvalid) as e:
        await service.apply(conn, ROOT, [team("higgs"), team("top", share=-1)], ALL)

    assert e.value.field == "documents.1.spec.share"
    assert "Team top: share: Input should be greater than or equal to 0" in str(e.value)
    assert await share_of(conn, "higgs") is None


@pytest.mark.parametrize(
    ("document", "error", "field"),
    [
        (Document(kind="Nonsense", name="x", vo="belle"), KindUnknown, "documents.0.kind"),
        (team("x", vo="nowhere"), ReferenceUnknown, "documents.0.vo"),
        (team("x", vo=None), OwnerMissing, "documents.0.vo"),
        (team("NOT LOWER"), DocumentInvalid, "documents.0.name"),
        (team("x\n"), DocumentInvalid, "documents.0.name"),
        (team("x", colour="red"), DocumentInvalid, "documents.0.spec.colour"),
        (team("x", share="\x00"), DocumentInvalid, "documents.0.spec"),
        (team("x", share=float("nan")), DocumentInvalid, "documents.0.spec"),
        (team("x", share="\ud800"), DocumentInvalid, "documents.0.spec"),
        (team("x", remove=True), DocumentUnknown, "documents.0.name"),
        (Document(kind="VO", name="belle", remove=True), DocumentPermanent, "documents.0.remove"),
    ],
)
async def test_a_bad_document_is_refused_by_name_and_field(
    conn: Connection, document: Document, error: type[Exception], field: str
) -> None:
    with pytest.raises(error) as e:
        await service.apply(conn, ROOT, [document], ALL)

    assert getattr(e.value, "field", None) == field


async def test_a_document_stands_once_in_an_apply(conn: Connection) -> None:
    with pytest.raises(DocumentTwice) as e:
        await service.apply(conn, ROOT, [team("higgs"), team("higgs", share=2)], ALL)

    assert e.value.field == "documents.1.name"


async def test_an_apply_has_a_limit(conn: Connection) -> None:
    with pytest.raises(TooManyDocuments):
        await service.apply(conn, ROOT, [team(f"t{i}") for i in range(service.MOST_DOCUMENTS + 1)], ALL)


async def test_removing_a_document_retires_it(conn: Connection) -> None:
    await service.apply(conn, ROOT, [team("higgs")], ALL)

    applied = await service.apply(conn, ROOT, [team("higgs", remove=True)], ALL)

    assert [c.action for c in applied.changes] == [Action.REMOVED]
    assert await share_of(conn, "higgs") is None
    assert await service.documents(conn, [1]) == []


async def test_what_is_in_use_is_not_removed(conn: Connection, world: World) -> None:
    await service.apply(conn, ROOT, [team("higgs")], ALL)
    await execute(
        conn,
        """
        INSERT INTO task_queue (vo, group_id, account_id, requirements, digest)
        SELECT 1, g.group_id, a.account_id, '[]', 'x'
          FROM account_group g JOIN account a ON a.vo = 1 AND a.name = 'alice'
         WHERE g.vo = 1 AND g.name = 'higgs'
        """,
    )

    with pytest.raises(DocumentInUse) as e:
        await service.apply(conn, ROOT, [team("higgs", remove=True)], ALL)

    assert "task queue" in str(e.value)
    assert await share_of(conn, "higgs") == 1


async def test_secrets_never_enter_the_history(conn: Connection) -> None:
    applied = await service.apply(conn, ROOT, [team("higgs", password="p4ss")], ALL)

    assert "p4ss" not in repr(applied)
    assert "p4ss" not in str(await fetch_values(conn, "SELECT to_jsonb(c)::text FROM configuration_change c"))
    assert applied.changes[0].after is not None
    assert applied.changes[0].after["password"].startswith("sha256:")


async def test_a_secret_that_is_not_said_stays_and_is_no_change(conn: Connection) -> None:
    team = Document(kind="Team", vo="belle", name="higgs", spec={"password": "hush"})
    first = await service.apply(conn, ROOT, [team], (*KINDS, TEAM))
    same = Document(kind="Team", vo="belle", name="higgs", spec={})
    assert (await service.apply(conn, ROOT, [same], (*KINDS, TEAM))).changes == []
    other = Document(kind="Team", vo="belle", name="higgs", spec={"share": 2})
    (change,) = (await service.apply(conn, ROOT, [other], (*KINDS, TEAM))).changes
    assert change.after == {**(first.changes[0].after or {}), "share": 2}


async def test_another_secret_is_a_change(conn: Connection) -> None:
    await service.apply(conn, ROOT, [team("higgs", password="p4ss")], ALL)

    applied = await service.apply(conn, ROOT, [team("higgs", password="other")], ALL)

    assert [c.action for c in applied.changes] == [Action.CHANGED]


async def test_a_version_can_be_brought_back(conn: Connection) -> None:
    first = await service.apply(conn, ROOT, [team("higgs", share=1, password="p"), team("top", share=5)], ALL)
    await service.apply(conn, ROOT, [team("higgs", share=9), team("new"), team("top", remove=True)], ALL)
    assert first.version is not None

    back = await service.rollback(conn, ROOT, first.version, ALL)

    assert back.version is not None
    assert back.version > first.version
    assert {(c.name, c.action) for c in back.changes} == {
        ("higgs", Action.CHANGED), ("new", Action.REMOVED), ("top", Action.CREATED)
    }  # fmt: skip
    assert [await share_of(conn, n) for n in ("higgs", "new", "top")] == [1, None, 5]
    assert (await service.versions(conn, ROOT))[0].comment == f"back to version {first.version}"


async def test_what_may_be_shared_concerns_every_vo_and_what_is_a_vos_own_that_vo_alone(conn: Connection) -> None:
    lent = Document(kind="Shared", name="lent", vo="gridpp")
    shared = await service.apply(conn, ROOT, [lent], ALL)
    own = await service.apply(conn, ROOT, [team("higgs")], ALL)

    newest = {vo: (await identity.roll(conn, vo)).version for vo in (0, 1, 2, 7)}

    assert newest == {0: shared.version, 1: own.version, 2: shared.version, 7: None}


async def test_a_dry_rollback_changes_nothing(conn: Connection) -> None:
    first = await service.apply(conn, ROOT, [team("higgs", share=1)], ALL)
    second = await service.apply(conn, ROOT, [team("higgs", share=9)], ALL)
    assert first.version is not None

    back = await service.rollback(conn, ROOT, first.version, ALL, dry_run=True)

    assert [c.action for c in back.changes] == [Action.CHANGED]
    assert await share_of(conn, "higgs") == 9
    assert await service.current_version(conn) == second.version


async def test_going_back_keeps_vos_that_came_since(conn: Connection) -> None:
    first = await service.apply(conn, ROOT, [team("higgs")], ALL)
    await service.apply(conn, ROOT, [Document(kind="VO", name="ska")], ALL)
    assert first.version is not None

    back = await service.rollback(conn, ROOT, first.version, ALL)

    assert back.changes == []
    assert await service.find(conn, "ska") is not None


async def test_there_is_no_going_back_to_a_version_that_never_was(conn: Connection) -> None:
    with pytest.raises(VersionNotFound):
        await service.rollback(conn, ROOT, 7, ALL)
    with pytest.raises(VersionNotFound):
        await service.changes(conn, ROOT, 7)


async def test_a_vo_admin_configures_what_the_vo_owns(conn: Connection) -> None:
    applied = await service.apply(conn, BELLE_ADMIN, [team("higgs", vo=None)], ALL)

    assert applied.changes[0].vo == "belle"


@pytest.mark.parametrize(
    "document",
    [team("higgs", vo="gridpp"), Document(kind="Shared", name="x"), Document(kind="Shared", name="x", vo="belle"),
     Document(kind="VO", name="mine")],
)  # fmt: skip
async def test_a_vo_admin_configures_nothing_else(conn: Connection, document: Document) -> None:
    with pytest.raises(NotYourConfiguration):
        await service.apply(conn, BELLE_ADMIN, [document], ALL)


async def test_a_user_configures_nothing(conn: Connection) -> None:
    user = Principal(vo=1, vo_name="belle", account_id=3, account="alice", vos=(1,))
    with pytest.raises(PermissionMissing):
        await service.apply(conn, user, [team("higgs")], ALL)
    with pytest.raises(PermissionMissing):
        await service.rollback(conn, user, 1, ALL)
    with pytest.raises(PermissionMissing):
        await service.versions(conn, user)


async def test_a_vo_admin_sees_and_brings_back_only_what_the_vo_owns(database: Database) -> None:
    async with database.transaction([0, 1, 2]) as conn:
        first = await service.apply(conn, ROOT, [team("higgs"), team("quarks", vo="gridpp")], ALL)
        await service.apply(conn, ROOT, [team("only", vo="gridpp")], ALL)
        shared = await service.apply(conn, ROOT, [Document(kind="Shared", name="x")], ALL)
    assert first.version is not None

    async with database.transaction([1]) as conn:
        assert [v.version for v in await service.versions(conn, BELLE_ADMIN)] == [shared.version, first.version]
        assert [c.name for c in await service.changes(conn, BELLE_ADMIN, first.version)] == ["higgs"]
        assert await service.current_version(conn) == shared.version
        await service.apply(conn, BELLE_ADMIN, [team("higgs", share=4)], ALL)
        back = await service.rollback(conn, BELLE_ADMIN, first.version, ALL)

    assert [(c.vo, c.name) for c in back.changes] == [("belle", "higgs")]


async def test_kinds_follow_what_others_have_changed(conn: Connection) -> None:
    seen: list[Change] = []

    async def follow(conn: Connection, caller: Principal, changes: Sequence[Change]) -> None:
        seen.extend(changes)

    watcher = Kind(name="Watcher", model=GroupSpec, order=9, apply=_put, follow=follow)
    await service.apply(conn, ROOT, [Document(kind="VO", name="ska")], (*KINDS, watcher))

    assert [(c.kind, c.name) for c in seen] == [("VO", "ska")]


async def test_a_vo_has_an_alias_that_no_other_is_called_by(conn: Connection) -> None:
    async def alias(of: str, is_: str | None) -> None:
        await service.apply(conn, ROOT, [Document(kind="VO", name=of, spec={"alias": is_} if is_ else {})], KINDS)

    await alias("belle", "bel")
    await alias("ska", "ska")
    assert {vo.name: vo.alias for vo in await service.list_vos(conn)}["belle"] == "bel"
    for name, taken in (("gridpp", "bel"), ("gridpp", "ska"), ("bel", None)):
        with pytest.raises(DocumentInvalid, match="called alike"):
            await alias(name, taken)
    swap = [Document(kind="VO", name=n, spec={"alias": a}) for n, a in (("belle", "g"), ("gridpp", "bel"))]
    await service.apply(conn, ROOT, swap, KINDS)
    await alias("gridpp", None)
    assert [vo.alias for vo in await service.list_vos(conn) if vo.name in {"belle", "gridpp"}] == ["g", None]


async def test_a_vo_has_passwords_until_its_document_says_otherwise_and_instance_always(conn: Connection) -> None:
    async def allowed() -> dict[str, bool]:
        return {vo.name: vo.passwords for vo in await service.list_vos(conn)}

    assert set((await allowed()).values()) == {True}
    off = [Document(kind="VO", name=name, spec={"passwords": False}) for name in ("belle", "ska")]
    await service.apply(conn, ROOT, off, KINDS)
    assert {name for name, on in (await allowed()).items() if not on} == {"belle", "ska"}
    await service.apply(conn, ROOT, [Document(kind="VO", name="belle", spec={})], KINDS)
    assert {name for name, on in (await allowed()).items() if not on} == {"ska"}
    with pytest.raises(DocumentInvalid, match="locked out"):
        await service.apply(conn, ROOT, [Document(kind="VO", name="instance", spec={"passwords": False})], KINDS)
