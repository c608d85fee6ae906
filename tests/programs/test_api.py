"""Which programs are alive, as a client asks."""

import os
from datetime import UTC, datetime, timedelta

import pytest

from sancho.kit.db import Connection
from sancho.programs import service, store
from sancho.programs.errors import TooManyPrograms
from sancho.programs.model import Beat
from tests.dids.given import person
from tests.served import Served
from tests.world import World

BEAT = {"name": "importer", "host": "vobox.belle.example", "pid": 7, "detail": "reads runs"}

at = datetime.fromisoformat


async def test_services_are_listed_to_their_vo_alone_and_the_installation_to_its_administrators(served: Served) -> None:
    for detail in ("starts", "reads runs"):
        answer = await served.send("POST", "/programs", account="root", json=BEAT | {"detail": detail})
        assert answer.status_code == 204, answer.text
    await served.send("POST", "/programs", account="root", json=BEAT | {"thread": "two"})

    one, two = (await served.send("GET", "/programs")).json()
    assert {key: one[key] for key in BEAT} == BEAT
    assert (one["thread"], two["thread"], at(one["started_at"]) < at(one["seen_at"])) == ("", "two", True)
    assert (await served.send("GET", "/programs", vo="gridpp", account="root")).json() == []
    refused = await served.send("POST", "/programs", json=BEAT)
    assert (refused.status_code, refused.json()["code"]) == (403, "permission_missing")

    ours = (await served.send("GET", "/programs", vo="instance", account="root")).json()
    (api,) = [one for one in ours if one["pid"] == os.getpid()]
    assert (api["name"], bool(api["host"]), at(api["started_at"]) <= at(api["seen_at"])) == ("api", True, True)


async def test_who_is_not_heard_of_for_a_day_is_forgotten_and_there_may_be_so_many(
    conn: Connection, world: World
) -> None:
    now, caller = datetime.now(UTC), person(world, "alice", "programs:report")
    await store.put_beat(
        conn, world.belle, Beat(name="old", host="h", pid=1), now - service.KEPT - timedelta(seconds=1)
    )
    assert await service.alive(conn, caller, now) == []
    for pid in (2, 3):
        await service.report(conn, caller, Beat(name="importer", host="h", pid=pid), now)
    assert await store.count(conn, world.belle) == 2
    await conn.execute(
        "INSERT INTO program_beat SELECT 1, n, now(), now(), 'many', 'h', '', NULL FROM generate_series(3, %s) AS n",
        [service.MOST],
    )
    await service.report(conn, caller, Beat(name="importer", host="h", pid=3), now)
    with pytest.raises(TooManyPrograms):
        await service.report(conn, caller, Beat(name="importer", host="h", pid=4), now)
