"""Whatever was applied in whatever order, every version can be brought back; applies wait for each other."""

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sancho.kit.db import Connection, Database, narrow
from sancho.vos import service
from sancho.vos.errors import DocumentInvalid, VersionOfOthers
from sancho.vos.model import Document
from sancho.vos.plan import way_back
from tests.vos.test_apply import ALL, BELLE_ADMIN, ROOT, team

Spec = dict[str, Any]
KEYS = st.tuples(st.sampled_from([1, 2]), st.sampled_from(["Team", "VO"]), st.sampled_from(["a", "b", "c"]))
STATES = st.dictionaries(KEYS, st.fixed_dictionaries({"share": st.integers(0, 2)}, optional={"secret": st.text()}))
VOS = {1: "belle", 2: "gridpp"}


@given(STATES, STATES)
def test_the_way_back_leads_back(then: dict[tuple[int, str, str], Spec], now: dict[tuple[int, str, str], Spec]) -> None:
    documents = way_back(then, now, vos=VOS, permanent={"VO"}, secrets={"Team": frozenset({"secret"})})

    reached = dict(now)
    ids = {name: vo for vo, name in VOS.items()}
    for d in documents:
        key = ids[d.vo or ""], d.kind, d.name
        if d.remove:
            assert d.kind != "VO"
            del reached[key]
        else:
            reached[key] = d.spec
            assert "secret" not in d.spec or d.kind == "VO"

    def plain(state: dict[tuple[int, str, str], Spec]) -> dict[tuple[int, str, str], Spec]:
        return {k: s if k[1] == "VO" else {n: v for n, v in s.items() if n != "secret"} for k, s in state.items()}

    stayed = {k: s for k, s in now.items() if k not in then and k[1] == "VO"}
    assert plain(reached) == plain(then) | stayed


STEPS = st.lists(
    st.dictionaries(st.sampled_from(["a", "b", "c"]), st.none() | st.integers(0, 3), min_size=1), min_size=1, max_size=6
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(STEPS, st.data())
async def test_every_version_can_be_brought_back(
    conn: Connection, steps: list[dict[str, int | None]], data: st.DataObject
) -> None:
    states: dict[int, set[tuple[str, float]]] = {}
    now: dict[str, float] = {}
    async with conn.transaction(force_rollback=True):
        for step in steps:
            documents: list[Document] = []
            for name, share in step.items():
                if share is not None:
                    documents.append(team(name, share=share))
                    now[name] = float(share)
                elif now.pop(name, None) is not None:
                    documents.append(team(name, remove=True))
            applied = await service.apply(conn, ROOT, documents, ALL)
            if applied.version is not None:
                states[applied.version] = set(now.items())
        if states:
            version = data.draw(st.sampled_from(sorted(states)))
            await service.rollback(conn, ROOT, version, ALL)
            assert {(d.name, d.spec["share"]) for d in await service.documents(conn, [1])} == states[version]


async def test_applies_wait_for_each_other(database: Database) -> None:
    async def one(number: int) -> None:
        async with database.transaction([0, 1, 2]) as conn:
            await service.apply(conn, ROOT, [team("higgs", share=number)], ALL)

    await asyncio.gather(*(one(number) for number in range(1, 7)))

    async with database.transaction([0, 1, 2]) as conn:
        versions = await service.versions(conn, ROOT)
        history = [c for v in reversed(versions) for c in await service.changes(conn, ROOT, v.version)]
    assert len(history) == 6
    assert [c.before for c in history[1:]] == [c.after for c in history[:-1]], "each saw what the one before had done"


async def test_versions_are_counted_without_gaps_by_whoever_applies(conn: Connection) -> None:
    counted: list[int | None] = []
    for caller, name in ((ROOT, "a"), (BELLE_ADMIN, "b"), (ROOT, "c")):
        await service.apply(conn, caller, [team("tried", share=9)], ALL, dry_run=True)
        with pytest.raises(DocumentInvalid):
            await service.apply(conn, caller, [team(name), team("bad", share=-1)], ALL)
        with pytest.raises(ZeroDivisionError):
            async with conn.transaction():
                await service.apply(conn, caller, [team(name)], ALL)
                raise ZeroDivisionError
        await narrow(conn, caller.vos)
        counted.append((await service.apply(conn, caller, [team(name)], ALL)).version)
        await narrow(conn, ROOT.vos)
    assert counted == [1, 2, 3]


async def test_a_version_that_changed_nothing_of_ones_own_says_so_instead_of_showing_nothing(conn: Connection) -> None:
    shared = Document(kind="Shared", name="everybody", vo=None, spec={"share": 2})
    version = (await service.apply(conn, ROOT, [shared], ALL)).version
    assert version is not None
    assert [v.version for v in await service.versions(conn, BELLE_ADMIN)] == [version], "it concerns every VO"

    with pytest.raises(VersionOfOthers, match="nothing that VO belle owns") as caught:
        await service.changes(conn, BELLE_ADMIN, version)

    assert (caught.value.status, caught.value.field) == (404, "version")
    assert [c.name for c in await service.changes(conn, ROOT, version)] == ["everybody"]
