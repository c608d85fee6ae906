"""Pilots are made where jobs wait, watched by what their CE says, and given up when they are silent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, ClassVar, cast

import pytest
from pydantic import BaseModel, SecretStr

from sancho.jobs.model import Reason, Result, Slot
from sancho.kit import extensions
from sancho.kit.access import Principal
from sancho.kit.db import execute, fetch_rows, fetch_value
from sancho.kit.deployment import Deployment
from sancho.kit.extensions import Extensions
from sancho.kit.secrets import Secrets, variable
from sancho.matching.service import matcher_of
from sancho.pilots import service
from sancho.pilots.service.serving import Asked
from sancho_contract.compute import CEUnavailable, PilotSpec, PilotState
from sancho_contract.secrets import SecretReader
from tests.jobs.given import PLAIN, queues, submitted
from tests.jobs.given import started as start
from tests.journeys.given import Contents
from tests.served import Served

LONG_AGO = timedelta(hours=2)


@dataclass
class Batch:
    """A batch system that takes what it is told to take, and remembers it."""

    Settings: ClassVar[type[BaseModel]] = BaseModel
    slots: int = 100
    away: bool = False
    taken: dict[str, PilotSpec] = field(default_factory=dict[str, PilotSpec])
    said: dict[str, PilotState] = field(default_factory=dict[str, PilotState])

    async def submit(self, pilots: Sequence[PilotSpec]) -> Mapping[str, str]:
        if self.away:
            raise CEUnavailable("the door is closed")
        accepted = pilots[: self.slots - len(self.taken)]
        self.taken |= {p.stamp: p for p in accepted}
        return {p.stamp: f"batch-{p.stamp}" for p in accepted}

    async def states(self, references: Sequence[str]) -> Mapping[str, PilotState]:
        if self.away:
            raise CEUnavailable("the door is closed")
        return {r: self.said.get(r, PilotState.RUNNING) for r in references}

    async def kill(self, references: Sequence[str]) -> None:
        self.said |= dict.fromkeys(references, PilotState.DONE)


@pytest.fixture
def batch() -> Batch:
    return Batch()


@pytest.fixture
def deployment(served: Served, batch: Batch) -> Deployment:
    return replace(served.deployment, extensions=Extensions({("sancho.compute", "local"): batch}))


async def wait(served: Served, count: int) -> None:
    async with served.deployment.database.transaction([1]) as conn:
        await submitted(conn, served.world, PLAIN, count)


async def pilots(served: Served, **wanted: Any) -> list[dict[str, Any]]:
    answer = await served.send("GET", "/pilots", account="root", params=wanted)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def speak(served: Served, *, ago: timedelta, state: str = "R") -> list[int]:
    """Let every pilot have given a sign of life, so long ago; return their ids."""
    async with served.deployment.database.transaction([0]) as conn:
        params = {"ago": ago, "state": state}
        await execute(conn, 'UPDATE pilot SET state = %(state)s::"char", created_at = now() - %(ago)s', params)
        await execute(conn, "INSERT INTO pilot_beat SELECT vo, pilot_id, now() - %(ago)s FROM pilot", params)
        return [row[0] for row in await fetch_rows(conn, "SELECT pilot_id FROM pilot ORDER BY 1")]


async def test_pilots_are_made_for_the_jobs_that_wait_up_to_the_limits_of_the_ces(
    served: Served, deployment: Deployment, batch: Batch
) -> None:
    assert await service.provision(deployment) == 0
    await wait(served, 3)
    assert await service.provision(deployment) == 4, "two CEs share three jobs, rounded up"
    assert await service.provision(deployment) == 0, "those that are on their way are an answer"
    await wait(served, 100)
    assert await service.provision(deployment) == 4, "at most four pilots on each CE"

    one = next(iter(batch.taken.values()))
    assert (one.cores, one.memory, one.walltime, one.tags) == (1, 2_000_000_000, timedelta(hours=1), ("env:demo",))
    assert one.url == "http://testserver"
    listed = await pilots(served)
    assert {p["stamp"]: (p["state"], p["reference"]) for p in listed} == {
        stamp: ("submitted", f"batch-{stamp}") for stamp in batch.taken
    }
    assert [p["pilot_id"] for p in listed] == sorted((p["pilot_id"] for p in listed), reverse=True)


async def test_pilots_are_listed_in_pages_and_without_those_that_have_ended(
    served: Served, deployment: Deployment, batch: Batch
) -> None:
    batch.slots = 1
    await wait(served, 4)
    await service.provision(deployment)

    refused = [p for p in await pilots(served) if p["state"] == "failed"]
    assert {p["detail"] for p in refused} == {"the CE did not take it"}
    (alive,) = await pilots(served, alive=True)
    assert alive["stamp"] in batch.taken
    counted = (await served.send("GET", "/pilots/summary", account="root")).json()
    assert [(c["ce"], c["site"], c["max_pilots"]) for c in counted] == [("A-CE", "SITE-A", 4), ("B-CE", "SITE-B", 4)]
    assert (sum(c["submitted"] for c in counted), sum(c["failed"] for c in counted)) == (1, len(refused))
    assert (await served.send("GET", "/pilots/summary", account="alice")).status_code == 403
    newest = (await served.send("GET", "/pilots", account="root", params={"limit": 1})).json()
    following = await pilots(served, cursor=newest["next"], limit=1)
    assert following[0]["pilot_id"] < newest["items"][0]["pilot_id"]


async def test_what_a_ce_refuses_is_tried_again(served: Served, deployment: Deployment, batch: Batch) -> None:
    await wait(served, 1)
    batch.away = True
    await service.provision(deployment)
    assert await pilots(served, alive=True) == []
    batch.away = False
    assert await service.provision(deployment) == 2
    assert len(await pilots(served, alive=True)) == 2


async def test_only_one_worker_provisions_at_a_time(served: Served, deployment: Deployment) -> None:
    await wait(served, 1)
    async with deployment.database.transaction([0]) as conn:
        await fetch_value(conn, "SELECT pg_advisory_xact_lock(7266227)")
        assert await service.provision(deployment) == 0
    assert await service.provision(deployment) == 2


async def test_a_pilot_that_its_ce_says_has_ended_is_given_up_unless_it_spoke_a_moment_ago(
    served: Served, deployment: Deployment, batch: Batch
) -> None:
    await wait(served, 1)
    await service.provision(deployment)
    batch.said = {f"batch-{stamp}": PilotState.DONE for stamp in batch.taken}
    ids = await speak(served, ago=timedelta(0))
    assert await service.watch(deployment) == 0
    async with deployment.database.transaction([0]) as conn:
        await execute(
            conn, "UPDATE pilot_beat SET at = now() - interval '1 min' WHERE pilot_id = %(id)s", {"id": ids[0]}
        )

    assert await service.watch(deployment) == 1

    ended = {p["pilot_id"]: p for p in await pilots(served)}[ids[0]]
    assert (ended["state"], ended["detail"]) == ("failed", "the CE says that it has ended")
    assert [p["pilot_id"] for p in await pilots(served, alive=True)] == ids[1:]


async def test_a_ce_that_does_not_answer_ends_nobody(served: Served, deployment: Deployment, batch: Batch) -> None:
    await wait(served, 1)
    await service.provision(deployment)
    await speak(served, ago=LONG_AGO)
    batch.away = True
    assert await service.watch(deployment) == 0
    assert len(await pilots(served, alive=True)) == 2


async def test_a_silent_pilot_is_lost_and_its_job_goes_to_another(served: Served, deployment: Deployment) -> None:
    await wait(served, 2)
    await service.provision(deployment)
    silent, *_ = await speak(served, ago=LONG_AGO)
    async with deployment.database.transaction([0, 1]) as conn:
        attempt = await start(conn, served.world, pilot_id=silent)

    assert await service.retire_lost(deployment) == 2

    assert {p["state"] for p in await pilots(served)} == {"lost"}
    shown = (await served.send("GET", f"/jobs/{attempt.job_id}")).json()
    assert (shown["state"], shown["attempt_list"][0]["state"]) == ("waiting", "lost")
    assert "no sign of life" in shown["detail"]
    async with deployment.database.transaction([1]) as conn:
        assert await queues(conn), "the queue is awake"


async def test_a_pilot_whose_submission_nobody_can_tell_of_is_given_up_after_a_lease(
    served: Served, deployment: Deployment
) -> None:
    await wait(served, 1)
    await service.provision(deployment)
    async with deployment.database.transaction([0]) as conn:
        await execute(conn, "UPDATE pilot SET state = 'N', reference = NULL")  # its worker died in between
    assert await service.watch(deployment) == 0
    async with deployment.database.transaction([0]) as conn:
        await execute(conn, "UPDATE pilot SET created_at = now() - interval '2 min'")
    assert await service.watch(deployment) == 2


class Named(BaseModel):
    """Where the token is."""

    token: str


class Guarded(Batch):
    """A batch system that asks who we are."""

    Settings: ClassVar[type[BaseModel]] = Named

    def __init__(self, settings: Named, secret: SecretReader) -> None:
        super().__init__()
        self.name, self.secret, self.shown = settings.token, secret, list[str]()

    async def submit(self, pilots: Sequence[PilotSpec]) -> Mapping[str, str]:
        self.shown.append(await self.secret(self.name))
        return await super().submit(pilots)


async def test_a_ce_reads_the_secret_that_its_settings_name_and_nobody_stores_it(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(_group: str, _name: str) -> type[Guarded]:
        return Guarded

    monkeypatch.setattr(extensions, "load", load)
    kept = Secrets({variable("instance", "a-ce"): SecretStr("hush"), variable("belle", "a-ce"): SecretStr("belle's")})
    deployment = replace(served.deployment, extensions=Extensions(), secrets=kept)
    async with served.deployment.database.transaction([0]) as conn:
        await execute(conn, 'UPDATE compute_element SET settings = \'{"token": "a-ce"}\'', {})
    await wait(served, 1)

    assert await service.provision(deployment) > 0

    made = deployment.extensions.get(
        "sancho.compute", "local", {"token": "a-ce"}, secret=deployment.secrets.of("instance")
    )
    assert set(made.shown) == {"hush"}, "that of the CE's owner"


@pytest.mark.parametrize(
    "settings",
    [
        {"token": "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"},
        {"key": "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE"},
        {"endpoint": "https://sancho:pa55word@ce.example:9619"},
        {"headers": ["Authorization: Bearer 0123456789"]},
        {"nested": {"password": "Correct Horse!"}},
    ],
)
async def test_a_document_with_a_secret_in_it_is_refused_and_not_repeated(
    served: Served, settings: dict[str, Any]
) -> None:
    spec = {"site": "SITE-A", "plugin": "local", "settings": {"folder": "/tmp/ce"} | settings}
    document = {"kind": "ComputeElement", "name": "NEW-CE", "spec": spec}

    answer = await served.send(
        "POST", "/configuration/apply", vo="instance", account="root", json={"documents": [document]}
    )

    assert (answer.status_code, answer.json()["code"]) == (422, "document_invalid")
    assert "looks like a secret" in answer.json()["detail"]
    (said,) = (v for v in _texts(settings))
    assert said not in answer.text
    contents = Contents(served.owner_url)
    assert said not in contents.text()
    contents.close()


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner: Any = list(cast(dict[str, Any], value).values()) if isinstance(value, dict) else value
    return [text for item in inner for text in _texts(item)]


async def test_a_pilot_whose_jobs_all_fail_gets_none_and_its_ce_one_pilot_at_a_time(
    served: Served, deployment: Deployment, batch: Batch
) -> None:
    await wait(served, 9)
    assert await service.provision(deployment) == 8
    ids = await speak(served, ago=timedelta(0))
    async with served.deployment.database.transaction([0, 1]) as conn:
        (ill,) = await fetch_rows(conn, "SELECT pilot_id, ce_id FROM pilot ORDER BY 1 LIMIT 1")
    assert len(ids) == 8
    caller = Principal(
        vo=0, vo_name="instance", account_id=0, account="", groups=(), vos=(0, 1, 2), permissions=frozenset(),
        pilot_id=ill[0], ce_id=ill[1],
    )  # fmt: skip
    asked = Asked(
        slot=Slot(ce="", site="", cores=1, memory=2_000_000_000, walltime=timedelta(hours=1), tags=frozenset()),
        held=[], answered=True,
    )  # fmt: skip
    matcher = matcher_of(lambda _vo: 1.0)
    for _ in range(3):
        given = await service.match(deployment, matcher, caller, asked)
        assert given is not None
        await service.finish(deployment, caller, given.attempt_id, Result(reason=Reason.INPUT_UNAVAILABLE))
    assert await service.match(deployment, matcher, caller, asked) is None
    (told,) = [p for p in await pilots(served) if p["pilot_id"] == ill[0]]
    assert told["detail"] == "its jobs fail one after the other"
    async with served.deployment.database.transaction([0, 1]) as conn:
        await execute(
            conn,
            "UPDATE pilot SET ended_at = now(), state = 'D', unfit_at = now() WHERE ce_id = %(ce)s",
            {"ce": ill[1]},
        )
    assert await service.provision(deployment) == 1, "a probe"
