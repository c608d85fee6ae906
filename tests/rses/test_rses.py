"""RSEs come true by documents, are found by name and expression, and say where files lie."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sancho.identity.kinds import KINDS as IDENTITY
from sancho.kit.db import Connection, Database, execute, fetch_value
from sancho.kit.extensions import Extensions
from sancho.kit.issuer import Issuer, rotate
from sancho.rses import plan, service
from sancho.rses.errors import PlaceUnfit, RseExpressionEmpty, RseExpressionInvalid, RseNotFound
from sancho.rses.kinds import KINDS as RSES
from sancho.rses.model import Domain, Operation, Report
from sancho.rses.service import reporting
from sancho.sites.errors import PluginMissing, SettingsInvalid
from sancho.sites.kinds import KINDS as SITES
from sancho.vos import service as vos
from sancho.vos.errors import DocumentInUse, DocumentInvalid, ReferenceUnknown
from sancho.vos.kinds import KINDS as VOS
from sancho.vos.model import Applied, Document, Kind
from tests.identity.helpers import ROOT, URL, StoppedClock
from tests.world import World

ALL: tuple[Kind[Any], ...] = (*VOS, *IDENTITY, *SITES, *RSES)


def rse(name: str = "C-DISK", **spec: Any) -> Document:
    said = {"site": "SITE-A", "plugin": "posix", "prefix": "file:///data/c/", **spec}
    return Document(kind="RSE", name=name, spec=said)


DAVS = {"plugin": "webdav", "prefix": "davs://c.example/data/"}


def gone(name: str) -> Document:
    return Document(kind="RSE", name=name, remove=True)


async def apply(conn: Connection, *documents: Document) -> Applied:
    return await vos.apply(conn, ROOT, documents, ALL)


def names(found: list[service.Rse]) -> list[str]:
    return [each.name for each in found]


async def test_an_rse_comes_true(conn: Connection, world: World) -> None:
    attributes = {"tier": 1, "country": "UK", "tape": True, "free": 1.5}
    await apply(conn, rse(attributes=attributes, audience="https://c.test", writable=False))

    made = await service.get(conn, "C-DISK")
    assert (made.site, made.site_id, made.vo) == ("SITE-A", world.resource["SITE-A"], 0)
    assert (made.plugin, made.prefix, made.audience) == ("posix", "file:///data/c", "https://c.test")
    assert made.attributes == attributes
    assert (made.readable, made.writable, made.deletable) == (True, False, True)
    assert await service.by_id(conn, [made.rse_id, 0]) == {made.rse_id: made}


async def test_an_rse_can_be_changed(conn: Connection) -> None:
    await apply(conn, rse(attributes={"tier": 1}))
    before = await service.get(conn, "C-DISK")

    await apply(conn, rse(site="SITE-B", prefix="file:///other", attributes={}))

    after = await service.get(conn, "C-DISK")
    assert after.rse_id == before.rse_id
    assert (after.site, after.prefix, after.attributes) == ("SITE-B", "file:///other", {})


@pytest.mark.parametrize(
    ("prefix", "audience"), [("https://c.test:8443/data", "https://c.test:8443"), ("file:///data", "file://")]
)
async def test_an_audience_is_implied_by_the_prefix(conn: Connection, prefix: str, audience: str) -> None:
    await apply(conn, rse(prefix=prefix))

    assert (await service.get(conn, "C-DISK")).audience == audience


async def test_switching_an_rse_or_its_site_off_ends_all_use(conn: Connection) -> None:
    await apply(conn, rse(enabled=False))
    made = await service.get(conn, "C-DISK")
    assert (made.readable, made.writable, made.deletable) == (False, False, False)

    await apply(conn, rse(), Document(kind="Site", name="SITE-A", spec={"enabled": False}))
    assert not (await service.get(conn, "C-DISK")).readable


@pytest.mark.parametrize(
    ("document", "error", "field"),
    [
        (rse(site="NOWHERE"), ReferenceUnknown, "site"),
        (rse(plugin="nonsense"), PluginMissing, "plugin"),
        (rse(settings={"nonsense": 1}), SettingsInvalid, "settings.nonsense"),
        (rse(distances={"NOWHERE": 1}), ReferenceUnknown, "distances.NOWHERE"),
        (rse(distances={"A-DISK": -1}), DocumentInvalid, "distances.A-DISK"),
        (rse(prefix="/data"), DocumentInvalid, "prefix"),
        (rse(prefix="file:///with space"), DocumentInvalid, "prefix"),
        (rse(attributes={"tier": None}), DocumentInvalid, "attributes.tier"),
        (rse(attributes={"tier": {"a": 1}}), DocumentInvalid, "attributes.tier"),
        (rse(attributes={"site": "X"}), DocumentInvalid, "attributes"),
        (rse(attributes={"rse": "X"}), DocumentInvalid, "attributes"),
        (rse(colour="red"), DocumentInvalid, "colour"),
        (rse(prefix=None), DocumentInvalid, None),
        (rse(plugin=None, prefix=None, protocols=[DAVS]), DocumentInvalid, None),
        (rse(protocols=[{**DAVS, "plugin": "nonsense"}]), PluginMissing, "protocols.0.plugin"),
        (rse(protocols=[{**DAVS, "settings": {"nonsense": 1}}]), SettingsInvalid, "protocols.0.settings.nonsense"),
        (rse(protocols=[{**DAVS, "prefix": "/data"}]), DocumentInvalid, "protocols.0.prefix"),
        (rse(domains={"wan": {"read": -1}}), DocumentInvalid, "domains.wan.read"),
        (rse(domains={"man": {}}), DocumentInvalid, "domains.man"),
    ],
)
async def test_a_bad_document_is_refused_by_field(
    conn: Connection, document: Document, error: type[Exception], field: str | None
) -> None:
    with pytest.raises(error) as e:
        await apply(conn, document)

    assert getattr(e.value, "field", None) == (f"documents.0.spec.{field}" if field else "documents.0.spec")


async def test_of_several_protocols_the_best_for_what_is_wanted_is_taken(conn: Connection) -> None:
    http = {"plugin": "webdav", "prefix": "http://c.lan", "domains": {"lan": {"read": 1}, "wan": {"delete": 9}}}
    here = {"lan": {"read": 2, "write": 1}, "wan": {"third_party_copy_read": 1}}
    await apply(conn, rse(domains=here, protocols=[DAVS, http]))
    made = await service.get(conn, "C-DISK")

    def prefix(operation: Operation, domain: Domain, *schemes: str) -> str | None:
        found = service.reached([made], operation, domain, schemes=schemes or None).get(made.rse_id)
        return found and found.prefix

    assert prefix(Operation.READ, Domain.LAN) == "http://c.lan"
    assert prefix(Operation.READ, Domain.LAN, "file") == "file:///data/c"
    assert prefix(Operation.WRITE, Domain.LAN) == "file:///data/c"
    assert prefix(Operation.READ, Domain.WAN) == "davs://c.example/data"
    assert prefix(Operation.READ, Domain.WAN, "http") is None
    assert prefix(Operation.DELETE, Domain.WAN) == "davs://c.example/data"
    assert prefix(Operation.COPY_FROM, Domain.WAN) == "file:///data/c"
    for url in ("davs://c.example/data/belle/mc/a", "http://c.lan/belle/mc/a", "file:///data/c/belle/mc/a"):
        assert service.path_below(made, url) == "/belle/mc/a"


async def test_an_rse_without_a_protocol_is_not_used_until_it_has_one(conn: Connection) -> None:
    await apply(conn, rse(protocols=[DAVS]))
    await apply(conn, rse(plugin=None, prefix=None))
    made = await service.get(conn, "C-DISK")
    assert (made.protocols, made.readable, made.writable, made.deletable) == ((), False, False, False)
    assert service.reached([made], Operation.READ) == {}
    assert made.audience == "rse://C-DISK"

    await apply(conn, rse())
    made = await service.get(conn, "C-DISK")
    assert ([p.prefix for p in made.protocols], made.writable) == (["file:///data/c"], True)


async def test_distances_lead_from_an_rse_to_others(conn: Connection, world: World) -> None:
    await apply(conn, rse(distances={"A-DISK": 3, "D-DISK": 1}), rse("D-DISK", distances={"C-DISK": 2}))

    c, d = await service.get(conn, "C-DISK"), await service.get(conn, "D-DISK")
    a, b = world.resource["A-DISK"], world.resource["B-DISK"]
    assert await service.distances(conn) == {
        (c.rse_id, a): 3, (c.rse_id, d.rse_id): 1, (d.rse_id, c.rse_id): 2, (a, b): 1, (b, a): 1
    }  # fmt: skip

    await apply(conn, rse(distances={"A-DISK": 4}))
    assert await service.distances(conn) == {(c.rse_id, a): 4, (d.rse_id, c.rse_id): 2, (a, b): 1, (b, a): 1}


async def test_the_nearest_rse_of_a_site_counts(conn: Connection, world: World) -> None:
    await apply(conn, rse(distances={"B-DISK": 5, "A-DISK": 2}), rse("D-DISK", site="SITE-B", distances={"C-DISK": 7}))

    at_a, at_b = world.resource["SITE-A"], world.resource["SITE-B"]  # A-DISK and C-DISK; B-DISK and D-DISK
    a, b = world.resource["A-DISK"], world.resource["B-DISK"]
    c = (await service.get(conn, "C-DISK")).rse_id
    assert await service.distances_from(conn, at_a) == {a: 2, b: 1}
    assert await service.distances_from(conn, at_b) == {a: 1, c: 7}


async def test_distances_come_back_with_an_rse_that_others_name(conn: Connection) -> None:
    await apply(conn, rse(distances={"D-DISK": 1}), rse("D-DISK"))
    await apply(conn, gone("D-DISK"))

    await apply(conn, rse("D-DISK"))

    c, d = await service.get(conn, "C-DISK"), await service.get(conn, "D-DISK")
    assert (await service.distances(conn))[c.rse_id, d.rse_id] == 1


async def test_an_rse_with_replicas_cannot_be_removed(conn: Connection, world: World) -> None:
    await apply(conn, rse())
    made = await service.get(conn, "C-DISK")
    await execute(
        conn,
        """
        WITH file AS (
            INSERT INTO did (vo, kind, open, scope_id, size, account_id, name)
            VALUES (1, 'F', false, %(scope)s, 1, %(account)s, 'f') RETURNING did_id)
        INSERT INTO replica (vo, state, rse_id, did_id, size) SELECT 1, 'A', %(rse)s, did_id, 1 FROM file
        """,
        {"scope": world.scope[1, "mc"], "account": world.account[1, "alice"], "rse": made.rse_id},
    )

    with pytest.raises(DocumentInUse):
        await apply(conn, gone("C-DISK"))


async def test_a_removed_rse_is_gone(conn: Connection) -> None:
    await apply(conn, rse())

    await apply(conn, gone("C-DISK"))

    for name in ("C-DISK", "no such\x00name"):
        with pytest.raises(RseNotFound):
            await service.get(conn, name)


async def test_a_vo_sees_only_what_it_was_granted(database: Database) -> None:
    everyone = {"resource": {"kind": "RSE", "name": "C-DISK"}, "to": ["belle"]}
    async with database.transaction([0, 1, 2]) as conn:
        await apply(conn, rse(distances={"A-DISK": 1}), Document(kind="Grant", name="c", spec=everyone))
        assert "C-DISK" in names(await service.resolve(conn, "*", vo=1))
        assert "C-DISK" not in names(await service.resolve(conn, "*", vo=2))
        with pytest.raises(RseNotFound):
            await service.get(conn, "C-DISK", vo=2)

    async with database.transaction([1]) as conn:
        assert "C-DISK" in names(await service.rses(conn))
        assert (await service.get(conn, "C-DISK")).site == "SITE-A"
        assert len(await service.distances(conn)) == 3
    async with database.transaction([2]) as conn:
        assert "C-DISK" not in names(await service.rses(conn))
        assert len(await service.distances(conn)) == 2


async def test_an_expression_is_resolved_in_order_of_names(conn: Connection) -> None:
    assert names(await service.resolve(conn, "tier=2|tier=1")) == ["A-DISK", "B-DISK"]
    assert names(await service.resolve(conn, "country=UK")) == ["B-DISK"]
    assert names(await service.resolve(conn, "site=SITE-A")) == ["A-DISK"]


async def test_an_expression_that_matches_nothing_is_an_error(conn: Connection) -> None:
    with pytest.raises(RseExpressionEmpty) as e:
        await service.resolve(conn, "tier=7", field="expression")

    assert e.value.field == "expression"


async def test_an_expression_that_cannot_be_read_blames_the_field_that_was_asked_for(conn: Connection) -> None:
    for field in ("one", "other"):
        with pytest.raises(RseExpressionInvalid) as e:
            await service.resolve(conn, "tier=7&", field=field)
        assert e.value.field == field


async def test_a_file_lies_below_the_prefix_in_the_area_of_its_vo(conn: Connection) -> None:
    made = await service.get(conn, "A-DISK")

    at = service.place(made, "belle", "mc", 0x12345, "run 7/events#1.root")

    assert at.path == "/belle/mc/345/12345/run%207/events%231.root"
    assert at.url == "file:///nowhere/a-disk" + at.path


@pytest.mark.parametrize("name", ["..", ".", "a/../../b", "/etc/passwd", "a//b", "a/", ""])
def test_no_name_leads_out_of_its_place(name: str) -> None:
    with pytest.raises(PlaceUnfit):
        plan.place("file:///data", "belle", "mc", 1, name)


@given(st.integers(1, 2**40), st.integers(1, 2**40), st.text(min_size=1), st.text(min_size=1))
def test_two_files_never_share_a_place(one: int, other: int, name: str, another: str) -> None:
    try:
        places = {plan.place("p:", "vo", "s", one, name), plan.place("p:", "vo", "s", other, another)}
    except PlaceUnfit:
        return
    assert len(places) == 2 or (one, name) == (other, another)


@given(st.integers(1, 2**59), st.text(min_size=1), st.sampled_from(["", "file:///data", "root://a.b:1094//x"]))
def test_the_file_at_a_place_is_known_by_its_url(did_id: int, name: str, prefix: str) -> None:
    try:
        url = plan.place(prefix, "belle", "mc", did_id, name).url
    except PlaceUnfit:
        return
    assert plan.file_at(url.removeprefix(prefix)) == did_id


@pytest.mark.parametrize(
    "path",
    ["", "/", "/belle/mc/345/12345", "/belle/mc/345/XYZ/f", "/belle/mc/345//f", "b/mc/345/345/f", "/b/mc/344/345/f",
     "/belle/mc/345/012345/f", "/belle/mc/ab/cd/f"],
)  # fmt: skip
def test_no_file_is_at_a_path_that_is_no_place(path: str) -> None:
    assert plan.file_at(path) is None


async def test_a_token_names_the_storage_and_the_paths(conn: Connection, tmp_path: Path) -> None:
    clock = StoppedClock()
    rotate(tmp_path / "keys", clock=clock)
    issuer = Issuer(tmp_path / "keys", URL, clock=clock)
    made = await service.get(conn, "A-DISK")

    token = service.token(
        issuer, made, subject="belle:alice", lifetime=timedelta(minutes=5),
        read=["/belle/mc/1", "/belle/mc/2"], create=["/belle/mc/3"], modify=["/belle/mc/4"],
    )  # fmt: skip

    claims = issuer.check(token)
    assert claims["aud"] == "https://a-disk.test"
    assert claims["sub"] == "belle:alice"
    assert claims["wlcg.ver"] == "1.0"
    assert claims["exp"] - claims["iat"] == 300
    assert claims["scope"] == (
        "storage.read:/belle/mc/1 storage.read:/belle/mc/2 storage.create:/belle/mc/3 storage.modify:/belle/mc/4"
    )


async def test_the_plugin_of_a_storage_is_made_once(conn: Connection) -> None:
    extensions, made = Extensions(), await service.get(conn, "A-DISK")

    door = service.storage(extensions, made)

    assert service.storage(extensions, made) is door


async def test_of_each_source_the_newest_reports_are_kept(conn: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reporting, "KEPT", 2)
    rse = await service.get(conn, "A-DISK")

    async def report(source: str, used: int, now: datetime) -> None:
        said = Report(source=source, used=used, free=None, files=None, reported_at=now)
        await service.report(conn, ROOT, rse, said)

    times = [datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2, 3)]
    for now in times:
        await report("srm", now.day, now)
    await report("other", 0, times[0])

    assert [(r.source, r.used) for r in await service.reports(conn, rse)] == [("srm", 3), ("srm", 2), ("other", 0)]


async def test_the_last_report_of_each_source_is_found_without_reading_all(conn: Connection, world: World) -> None:
    rse_ids = [world.resource["A-DISK"], world.resource["B-DISK"]]
    await execute(
        conn,
        """
        INSERT INTO rse_report (vo, rse_id, source, reported_at, used, free, files)
        SELECT 0, rse_id, source, now() - n * interval '1 hour' - days * interval '1 day', n, 1, 1
          FROM unnest(%(rse_ids)s::int[]) AS rse_id,
               (VALUES ('dump', 0), ('old', 40), ('srm', 0)) AS w (source, days), generate_series(0, 500) AS n
        """,
        {"rse_ids": rse_ids},
    )
    read = "SELECT (seq_tup_read + idx_tup_fetch)::bigint FROM pg_stat_xact_user_tables WHERE relname = 'rse_report'"
    before = await fetch_value(conn, read)

    found = await service.reports_by_rse(conn)

    assert {key: [(one.source, one.used) for one in said] for key, said in found.items()} == {
        key: [("dump", 0), ("srm", 0)] for key in rse_ids
    }
    assert await fetch_value(conn, read) - before < 50
