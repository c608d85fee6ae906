"""Sites, CEs and grants come true by documents; each VO sees what it owns and what it was granted."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sancho.identity.kinds import KINDS as IDENTITY
from sancho.kit.db import Connection, Database, execute, fetch_value
from sancho.sites import service
from sancho.sites.errors import (
    ComputeElementNotFound,
    PluginBroken,
    PluginMissing,
    SettingsInvalid,
    SiteNotFound,
)
from sancho.sites.kinds import KINDS as SITES
from sancho.vos import service as vos
from sancho.vos.errors import DocumentInUse, DocumentInvalid, ReferenceUnknown
from sancho.vos.kinds import KINDS as VOS
from sancho.vos.model import Applied, Document, Kind
from tests.identity.helpers import ROOT
from tests.world import World

ALL: tuple[Kind[Any], ...] = (*VOS, *IDENTITY, *SITES)


LOCAL: dict[str, Any] = {"plugin": "local", "settings": {"folder": "/nowhere/desy"}}


def site(name: str = "DESY", **spec: Any) -> Document:
    return Document(kind="Site", name=name, spec=spec)


def ce(name: str = "DESY-CE", *, at: str = "DESY", **spec: Any) -> Document:
    return Document(kind="ComputeElement", name=name, spec=LOCAL | {"site": at} | spec)


def grant(name: str, kind: str, resource: str, *to: str) -> Document:
    return Document(kind="Grant", name=name, spec={"resource": {"kind": kind, "name": resource}, "to": list(to)})


def gone(kind: str, name: str) -> Document:
    return Document(kind=kind, name=name, remove=True)


async def apply(conn: Connection, *documents: Document) -> Applied:
    return await vos.apply(conn, ROOT, documents, ALL)


async def may_use(conn: Connection, vo: int, name: str) -> bool:
    return await fetch_value(
        conn,
        """
        SELECT count(*) FROM resource_grant JOIN resource USING (resource_id) WHERE to_vo = %(vo)s AND name = %(name)s
        """,
        {"vo": vo, "name": name},
    )


async def test_a_site_and_its_ce_come_in_one_apply(conn: Connection) -> None:
    await apply(
        conn,
        ce(cores=8, memory="16 GB", walltime="36h", max_pilots=5, tags=["gpu", "gpu", "env:demo"]),
        site(attributes={"country": "DE", "tier": 2, "tape": False}),
    )

    made = await service.get_ce(conn, "DESY-CE")
    assert (made.cores, made.memory, made.walltime, made.max_pilots) == (8, 16 * 10**9, timedelta(hours=36), 5)
    assert (made.site, made.tags, made.enabled, made.vos) == ("DESY", ("gpu", "env:demo"), True, ())
    assert (await service.get_site(conn, "DESY")).attributes == {"country": "DE", "tier": 2, "tape": False}
    assert await service.ce(conn, made.ce_id) == made


async def test_a_ce_can_be_changed_and_moved(conn: Connection) -> None:
    await apply(conn, site(), ce(cores=8))

    await apply(conn, ce(at="SITE-A", cores=1))

    made = await service.get_ce(conn, "DESY-CE")
    assert (made.site, made.cores) == ("SITE-A", 1)


async def test_switching_a_site_off_reaches_its_ces(conn: Connection) -> None:
    await apply(conn, site(), ce())

    await apply(conn, site(enabled=False))

    assert not (await service.get_ce(conn, "DESY-CE")).enabled


@pytest.mark.parametrize(
    ("document", "error", "field"),
    [
        (ce(at="NOWHERE"), ReferenceUnknown, "documents.0.spec.site"),
        (ce(at="SITE-A", plugin="nonsense"), PluginMissing, "documents.0.spec.plugin"),
        (
            ce(at="SITE-A", settings={"folder": "/nowhere", "nonsense": 1}),
            SettingsInvalid,
            "documents.0.spec.settings.nonsense",
        ),
        (ce(at="SITE-A", cores=0), DocumentInvalid, "documents.0.spec.cores"),
        (ce(at="SITE-A", memory="much"), DocumentInvalid, "documents.0.spec.memory"),
        (ce(at="SITE-A", walltime="long"), DocumentInvalid, "documents.0.spec.walltime"),
        (ce(at="SITE-A", tags=["two words"]), DocumentInvalid, "documents.0.spec.tags.0"),
        (ce("UP AND DOWN", at="SITE-A"), DocumentInvalid, "documents.0.name"),
        (site(attributes={"x": None}), DocumentInvalid, "documents.0.spec.attributes.x"),
        (site(attributes={"x": [1]}), DocumentInvalid, "documents.0.spec.attributes.x"),
        (site(attributes={"x": 10**20}), DocumentInvalid, "documents.0.spec.attributes.x"),
        (site(attributes={"x": "a|b"}), DocumentInvalid, "documents.0.spec.attributes.x"),
        (site(attributes={"a b": 1}), DocumentInvalid, "documents.0.spec.attributes.a b.[key]"),
        (grant("g", "Site", "NOWHERE", "belle"), ReferenceUnknown, "documents.0.spec.resource.name"),
        (grant("g", "Site", "SITE-A", "belle", "nobody"), ReferenceUnknown, "documents.0.spec.to.1"),
        (grant("g", "Printer", "SITE-A", "belle"), DocumentInvalid, "documents.0.spec.resource.kind"),
        (grant("g", "Site", "SITE-A"), DocumentInvalid, "documents.0.spec.to"),
    ],
)
async def test_a_bad_document_is_refused_by_field(
    conn: Connection, document: Document, error: type[Exception], field: str
) -> None:
    with pytest.raises(error) as e:
        await apply(conn, document)

    assert getattr(e.value, "field", None) == field


async def test_a_grant_of_a_ce_lets_others_use_it_and_see_its_site(conn: Connection) -> None:
    await apply(conn, site(), ce(), ce("OTHER-CE"), grant("g", "ComputeElement", "DESY-CE", "belle"))

    assert (await service.get_ce(conn, "DESY-CE")).vos == (1,)
    assert await may_use(conn, 1, "DESY")
    assert not await may_use(conn, 1, "OTHER-CE")
    assert not await may_use(conn, 2, "DESY-CE")


async def test_a_grant_of_a_site_reaches_what_comes_there_later(conn: Connection) -> None:
    await apply(conn, site(), grant("g", "Site", "DESY", "belle", "gridpp"))

    await apply(conn, ce())

    assert (await service.get_ce(conn, "DESY-CE")).vos == (1, 2)


async def test_a_grant_that_is_taken_back_ends(conn: Connection) -> None:
    await apply(conn, site(), ce(), grant("g", "Site", "DESY", "belle", "gridpp"))

    await apply(conn, grant("g", "Site", "DESY", "gridpp"))
    assert (await service.get_ce(conn, "DESY-CE")).vos == (2,)

    await apply(conn, gone("Grant", "g"))
    assert (await service.get_ce(conn, "DESY-CE")).vos == ()
    assert not await may_use(conn, 2, "DESY")


async def test_what_two_grants_give_one_alone_does_not_take(conn: Connection) -> None:
    await apply(
        conn, site(), ce(), grant("one", "Site", "DESY", "belle"), grant("two", "ComputeElement", "DESY-CE", "belle")
    )

    await apply(conn, gone("Grant", "one"))

    assert (await service.get_ce(conn, "DESY-CE")).vos == (1,)
    assert await may_use(conn, 1, "DESY")


async def test_a_rollback_brings_grants_and_durations_back(conn: Connection) -> None:
    first = await apply(conn, site(), ce(walltime="36h"), grant("g", "Site", "DESY", "belle"))
    await apply(conn, gone("Grant", "g"), gone("ComputeElement", "DESY-CE"), gone("Site", "DESY"))
    assert first.version is not None

    await vos.rollback(conn, ROOT, first.version, ALL)

    back = await service.get_ce(conn, "DESY-CE")
    assert (back.vos, back.walltime) == ((1,), timedelta(hours=36))


async def test_a_site_that_is_used_cannot_be_removed(conn: Connection) -> None:
    await apply(conn, site(), ce())

    with pytest.raises(DocumentInUse):
        await apply(conn, gone("Site", "DESY"))


async def test_a_vo_sees_only_what_it_was_granted(database: Database) -> None:
    async with database.transaction([0, 1, 2]) as conn:
        await apply(conn, site(), ce(), grant("g", "Site", "DESY", "belle"))

    async with database.transaction([1]) as conn:
        assert "DESY" in {s.name for s in await service.sites(conn)}
        assert (await service.get_ce(conn, "DESY-CE")).site == "DESY"
    async with database.transaction([2]) as conn:
        assert {s.name for s in await service.sites(conn)} == {"SITE-A", "SITE-B"}
        assert {c.name for c in await service.ces(conn)} == {"A-CE", "B-CE"}
        with pytest.raises(ComputeElementNotFound):
            await service.get_ce(conn, "DESY-CE")


async def test_names_become_ids_and_the_first_unknown_one_is_named(conn: Connection, world: World) -> None:
    ids = await service.site_ids(conn, 1, ["SITE-B", "SITE-A"])

    assert ids == {name: world.resource[name] for name in ("SITE-A", "SITE-B")}
    for names in (["SITE-A", "NO-1", "NO-2"], ["SITE-A", "NO-1\x00"]):
        with pytest.raises(SiteNotFound) as e:
            await service.site_ids(conn, 1, names, field="sites")
        assert e.value.field == "sites"
        assert e.value.facts["site"] == names[1]


async def test_in_a_transaction_for_many_a_vo_names_only_its_own_sites(conn: Connection) -> None:
    await apply(conn, site(), grant("g", "Site", "DESY", "belle"))

    assert await service.site_ids(conn, 1, ["DESY"])
    with pytest.raises(SiteNotFound):
        await service.site_ids(conn, 2, ["DESY"])


async def test_of_two_sites_of_one_name_a_vo_means_its_own(conn: Connection) -> None:
    await execute(conn, "INSERT INTO resource (vo, kind, name) VALUES (1, 'S', 'SITE-A')")

    ids = await service.site_ids(conn, 1, ["SITE-A"])

    assert await fetch_value(conn, "SELECT vo FROM resource WHERE resource_id = %(id)s", {"id": ids["SITE-A"]}) == 1


async def test_a_ce_of_a_vo_serves_that_vo(conn: Connection) -> None:
    document = Document(kind="ComputeElement", name="OWN", vo="belle", spec=LOCAL | {"site": "SITE-A"})

    await apply(conn, document)

    assert (await service.get_ce(conn, "OWN")).vos == (1,)


async def test_there_is_no_ce_without_an_id(conn: Connection) -> None:
    with pytest.raises(ComputeElementNotFound):
        await service.ce(conn, 0)


async def test_a_plugin_that_lacks_what_it_needs_is_named(
    conn: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    about = tmp_path / "half_installed-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: half-installed\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[sancho.compute]\nhalf = module_that_is_not_there:Plugin\n")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(PluginBroken, match="module_that_is_not_there") as e:
        await apply(conn, ce(at="SITE-A", plugin="half"))

    assert e.value.field == "documents.0.spec.plugin"


async def test_a_ce_says_what_a_core_hour_costs_and_emits(conn: Connection) -> None:
    await apply(conn, site(), ce(price=0.25, carbon={"watts": 20, "grid": 300}), ce("QUIET-CE"))
    assert [(one.price, one.carbon) for one in await service.ces(conn) if one.site == "DESY"] == [
        (0.25, 6.0), (None, None),
    ]  # fmt: skip
    await apply(conn, ce(carbon={"grams": 4.5}))
    said = await service.get_ce(conn, "DESY-CE")
    assert (said.price, said.carbon) == (None, 4.5)


@pytest.mark.parametrize("carbon", [{}, {"watts": 20}, {"grid": 300}, {"grams": 1, "watts": 20, "grid": 300}])
async def test_carbon_is_said_in_one_way(conn: Connection, carbon: dict[str, float]) -> None:
    with pytest.raises(DocumentInvalid):
        await apply(conn, site(), ce(carbon=carbon))
