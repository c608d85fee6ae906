"""What jobs want of data and is not there, as administrators see it."""

from dataclasses import replace
from typing import Any

import pytest

from sancho.dids import service as dids
from sancho.dids.model import DidKind
from sancho.jobs import service
from sancho.jobs.errors import CursorMalformed
from sancho.kit.access import PermissionMissing
from sancho.kit.db import Connection, execute
from sancho.rules import service as rules
from sancho.rules.model import Demanded, Doing
from tests.jobs.given import dataset, submitted, user
from tests.jobs.test_tapes import READS, arrives, tape
from tests.world import World


async def listed(conn: Connection, world: World, **page: Any) -> list[Demanded]:
    page = {"cursor": None, "limit": 10, **page}
    found, following = await service.list_demand(conn, user(world, "root"), **page)
    assert following is None
    return found


async def test_what_is_on_tape_is_listed_until_it_is_there(conn: Connection, world: World) -> None:
    ids = await tape(conn, world)
    await submitted(conn, world, READS, count=3)
    await service.want_inputs(conn, 1)
    (one,) = await listed(conn, world)
    assert one.kind is DidKind.DATASET
    assert (one.did, one.waiting, one.running, one.files, one.size) == ("mc:raw", 3, 0, 4, 400)
    assert [tuple(at) for at in one.at] == [("B-DISK", True, 4, 400)]
    assert one.lacking is not None
    assert (one.lacking.files, one.lacking.size, one.lacking.on_tape, one.lacking.nowhere) == (4, 400, 4, 0)
    assert (one.there, one.doing) == (False, (Doing.NOTHING,))

    await rules.recall(conn, 1)
    (one,) = await listed(conn, world)
    assert one.lacking is not None
    assert (one.lacking.coming, one.lacking.recalled) == (4, 4)
    assert one.doing == (Doing.PIN, Doing.RECALL)
    await arrives(conn, world, ids[:3])
    (one,) = await listed(conn, world)
    assert one.lacking is not None
    assert (one.lacking.files, one.lacking.recalled) == (1, 1)
    assert [tuple(at) for at in one.at] == [("B-DISK", True, 4, 400), ("A-DISK", False, 3, 300)]
    await arrives(conn, world, ids[3:])
    (one,) = await listed(conn, world)
    assert one.there


async def test_what_is_open_or_nowhere_is_listed_the_longest_wanted_first(
    conn: Connection, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b", "c"):
        await dataset(conn, world, f"mc:{name}", {"A-DISK": [10, 20]})
        await submitted(conn, world, replace(READS, inputs=(f"mc:{name}",)))
    for name in ("b", "c"):
        did = (await dids.resolve(conn, 1, [f"mc:{name}"], field="did"))[0]
        await dids.close(conn, 1, did.did_id)
    await service.want_inputs(conn, 1)
    await execute(conn, "UPDATE demand SET since = now() - interval '1 h' * (5 - did_id % 5)")
    await execute(
        conn,
        "UPDATE replica SET state = 'B' WHERE did_id = (SELECT did_id FROM did WHERE name = 'c_A-DISK_1')",
    )
    whole = await listed(conn, world)
    assert sorted(one.since for one in whole) == [one.since for one in whole]
    by_name = {one.did: one for one in whole}
    assert [by_name[f"mc:{name}"].open for name in "abc"] == [True, False, False]
    assert [by_name[f"mc:{name}"].there for name in "abc"] == [False, True, False]
    lacking = by_name["mc:c"].lacking
    assert lacking is not None
    assert (lacking.files, lacking.size, lacking.nowhere) == (1, 20, 1)

    # pages: by number, and by the files that they look at
    first, cursor = await service.list_demand(conn, user(world, "root"), cursor=None, limit=2)
    assert [*first, *(await listed(conn, world, cursor=cursor, limit=2))] == whole
    monkeypatch.setattr("sancho.rules.service.demanded.MOST_WALKED", 2)
    seen, cursor = await service.list_demand(conn, user(world, "root"), cursor=None, limit=10)
    assert seen == whole[:1]
    monkeypatch.setattr("sancho.rules.service.demanded.MOST_WALKED", 1)
    (large,), _ = await service.list_demand(conn, user(world, "root"), cursor=cursor, limit=10)
    assert (large.did, large.lacking, large.at, large.there) == (whole[1].did, None, (), False)


async def test_only_administrators_of_the_vo_see_it(conn: Connection, world: World) -> None:
    await tape(conn, world)
    await submitted(conn, world, READS)
    await service.want_inputs(conn, 1)
    with pytest.raises(PermissionMissing):
        await service.list_demand(conn, user(world), cursor=None, limit=1)
    assert await service.list_demand(conn, user(world, "root", vo=2), cursor=None, limit=1) == ([], None)
    for cursor in ("x", "1", "1_", "²_1", "1_1_1"):
        with pytest.raises(CursorMalformed):
            await service.list_demand(conn, user(world, "root"), cursor=cursor, limit=1)
