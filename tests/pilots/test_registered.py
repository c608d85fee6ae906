"""Pilots that others manage, as people look for them."""

from typing import Any

from sancho.kit.db import Connection
from sancho.kit.query import parse
from sancho.pilots import service
from sancho.pilots.model import Registration
from tests.jobs.given import user
from tests.world import World


def pilot(stamp: str, site: str = "LCG.KEK.jp") -> Registration:
    return Registration(
        stamp=stamp, reference=stamp, status="Submitted", destination_site="ce1", grid_site=site, grid_type="DIRAC"
    )


async def found(conn: Connection, world: World, where: str | None = None, **page: Any) -> list[str]:
    query = None if where is None else parse(where)
    page = {"before": None, "limit": 10, **page}
    rows = await service.list_registered(conn, user(world, "root"), query, **page)
    return [one.stamp for one in rows]


async def test_registered_pilots_are_searched_and_paged(conn: Connection, world: World) -> None:
    root = user(world, "root")
    for stamp, site in (("a", "LCG.KEK.jp"), ("b", "LCG.CERN.ch"), ("c", "LCG.KEK.jp")):
        await service.register(conn, root, pilot(stamp, site))
    await service.register(conn, user(world, "root", vo=2), pilot("others"))
    await service.update(conn, root, {"a": {"status": "Running", "job_id": 7, "queue": "long"}})

    assert await found(conn, world) == ["c", "b", "a"]
    assert await found(conn, world, "grid_site like *KEK* & ~(status = Running)") == ["c"]
    assert await found(conn, world, "job = 7 | stamp = others") == ["a"]
    (first,) = await service.list_registered(conn, root, None, before=None, limit=1)
    assert await found(conn, world, before=first.pilot_id, limit=1) == ["b"]
    (one,) = await service.list_registered(conn, root, parse("current_job = 7"), before=None, limit=2)
    assert (one.status, one.queue, one.current_job, one.accounting_sent) == ("Running", "long", 7, False)
