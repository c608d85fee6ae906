"""Sandboxes are kept while a job has them, once for each content in a VO, and go when none has."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sancho.jobs import service, tasks
from sancho.jobs.errors import SandboxLeaving, SandboxMissing
from sancho.jobs.model import Result
from sancho.jobs.model.sandboxes import Announced
from sancho.jobs.service import sandboxes
from sancho.jobs.store import sandboxes as store
from sancho.kit.db import Connection, execute, fetch_values
from tests.jobs.given import PLAIN, started, submitted, user
from tests.served import Served
from tests.world import World

NOW = datetime.now(UTC)


def digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


async def sent(served: Served, content: bytes, vo: str = "belle") -> str:
    """Send a sandbox natively; its name."""
    sha256 = digest(content).hex()
    said = await served.send("POST", "/sandboxes", vo=vo, json={"sha256": sha256, "size": len(content)})
    assert said.status_code == 201, said.text
    if said.json()["url"] is not None:
        assert (await served.client.put(said.json()["url"], content=content)).is_success
    return sha256


async def age(served: Served, *, days: int = 30) -> None:
    """Let all sandboxes be of long ago."""
    async with served.deployment.database.transaction([1, 2]) as conn:
        await execute(
            conn, "UPDATE sandbox SET looked_at = now() - %(ago)s WHERE vo > 0", {"ago": timedelta(days=days)}
        )


async def left(served: Served, vo: int = 1) -> list[str]:
    async with served.deployment.database.transaction([vo]) as conn:
        found = await fetch_values(conn, "SELECT encode(sha256, 'hex') FROM sandbox WHERE vo = %(vo)s", {"vo": vo})
    return sorted(found)


def objects(served: Served) -> list[str]:
    return sorted(path.name.partition(".")[0] for path in (served.folder / "objects").rglob("*.tar.*"))


async def test_what_no_job_has_goes_after_a_while(served: Served, world: World) -> None:
    of_job, of_none = await sent(served, b"of a job"), await sent(served, b"of none")
    theirs = await sent(served, b"of none", vo="gridpp")
    async with served.deployment.database.transaction([1]) as conn:
        job_ids = (await submitted(conn, world, replace(PLAIN, sandbox=of_job), count=2)).job_ids
    await service.clean_sandboxes(served.deployment, 1)
    assert await left(served) == sorted([of_job, of_none]), "they are young"

    await age(served)
    assert await service.clean_sandboxes(served.deployment, 1) == 1
    assert (await left(served), await left(served, 2)) == ([of_job], [theirs])
    assert objects(served) == sorted([of_job, theirs])

    async with served.deployment.database.transaction([1]) as conn:
        await service.take_sandboxes(conn, user(world), job_ids[:1])
        await service.kill(conn, user(world), job_ids[:1])
    await age(served)
    assert await service.clean_sandboxes(served.deployment, 1) == 0, "the other job has it"
    async with served.deployment.database.transaction([1]) as conn:
        await service.take_sandboxes(conn, user(world), job_ids)
    await age(served)
    assert await service.clean_sandboxes(served.deployment, 1) == 0, "it has not ended"
    async with served.deployment.database.transaction([1]) as conn:
        await service.kill(conn, user(world), job_ids)
    await age(served)
    assert await service.clean_sandboxes(served.deployment, 1) == 1
    assert objects(served) == [theirs]


async def test_what_an_attempt_left_stays_until_it_is_replaced(served: Served, world: World) -> None:
    made, other = await sent(served, b"made"), await sent(served, b"other")
    async with served.deployment.database.transaction([1]) as conn:
        (job_id,) = (await submitted(conn, world)).job_ids
        attempt = await started(conn, world)
        result = Result(reason=None, sandbox=bytes.fromhex(made))
        await service.finish(conn, 1, attempt.attempt_id, result, pilot_id=1, checksums={})
    await age(served)
    assert await service.clean_sandboxes(served.deployment, 1) == 1
    assert await left(served) == [made]

    await sent(served, b"other")
    async with served.deployment.database.transaction([1]) as conn:
        await service.give_output_sandbox(conn, user(world), job_id, bytes.fromhex(other))
        ((job),) = await service.sandboxes_of(conn, 1, [job_id])
    assert job.output == bytes.fromhex(other)
    await age(served)
    await service.clean_sandboxes(served.deployment, 1)
    assert await left(served) == [other]
    url = (await served.send("GET", f"/jobs/{job_id}/sandbox")).json()["url"]
    assert (await served.client.get(url)).content == b"other"


async def test_a_later_attempt_makes_an_output_of_its_own(conn: Connection, world: World) -> None:
    (job_id,) = (await submitted(conn, world)).job_ids
    for content in (b"given", b"made"):
        await store.announce(conn, 1, user(world).account_id, digest(content), size=5, packing="tar.gz")
    await service.give_output_sandbox(conn, user(world), job_id, digest(b"given"))
    attempt = await started(conn, world)
    result = Result(reason=None, sandbox=digest(b"made"))
    await service.finish(conn, 1, attempt.attempt_id, result, pilot_id=1, checksums={})
    (job,) = await service.sandboxes_of(conn, 1, [job_id])
    assert job.output == digest(b"made")


async def test_what_is_being_deleted_is_not_promised_to_anybody(served: Served, world: World) -> None:
    sha256 = await sent(served, b"x")
    async with served.deployment.database.transaction([1]) as conn:
        await store.mark(conn, 1, [bytes.fromhex(sha256)], leaving=[bytes.fromhex(sha256)])
    with pytest.raises(SandboxLeaving):
        await service.announce_sandbox(served.deployment, user(world), Announced(sha256=bytes.fromhex(sha256), size=1))
    async with served.deployment.database.transaction([1]) as conn:
        with pytest.raises(SandboxMissing):
            await submitted(conn, world, replace(PLAIN, sandbox=sha256))
    refused = await served.send("POST", "/sandboxes", json={"sha256": sha256, "size": 1})
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")

    assert await service.clean_sandboxes(served.deployment, 1) == 0, "whoever deletes it may still be at it"
    async with served.deployment.database.transaction([1]) as conn:
        await execute(conn, "UPDATE sandbox SET leaving_at = now() - interval '1 hour' WHERE vo = 1")
    assert await service.clean_sandboxes(served.deployment, 1) == 1
    assert (await left(served), objects(served)) == ([], [])
    await sent(served, b"x")
    assert await left(served) == [sha256]


async def test_many_are_cleaned_a_part_at_a_time(served: Served, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandboxes, "BATCH", 2)
    for n in range(5):
        await sent(served, b"%d" % n)
    await age(served)
    assert await service.clean_sandboxes(served.deployment, 1) == 5
    assert objects(served) == []


async def test_the_task_cleans_every_vo(served: Served) -> None:
    for vo in ("belle", "gridpp"):
        await sent(served, b"x", vo=vo)
    await age(served)
    await tasks.clean_sandboxes(served.deployment)
    assert (await left(served), await left(served, 2)) == ([], [])
