"""Whatever is added, placed, held, released, lost and deleted: replicas and usage are what a small model says."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sancho.kit.db import Connection
from sancho.replicas import plan, service
from sancho.replicas.errors import ReplicaBeingDeleted, ReplicaExists, ReplicaNotFound
from sancho.replicas.model import Doomed, ReplicaKey, ReplicaState
from sancho.replicas.store import deletion, rows
from tests.dids.given import given_files
from tests.replicas.given import recounted
from tests.world import World

VERBS = ["add", "place", "hold", "release", "arrive", "lose", "claim", "remove"]
KEY = st.tuples(st.integers(0, 2), st.integers(0, 1))
STEPS = st.lists(st.tuples(st.sampled_from(VERBS), st.lists(KEY, min_size=1, max_size=4)), max_size=25)
MUCH_LATER = datetime(2200, 1, 1, tzinfo=UTC)
C, A, D = ReplicaState.COPYING, ReplicaState.AVAILABLE, ReplicaState.DELETING


@dataclass
class One:
    """A replica as it should be."""

    state: ReplicaState
    holds: int = 0
    tombstone: bool = False


@dataclass
class Model:
    """All replicas as they should be."""

    rows: dict[ReplicaKey, One] = field(default_factory=dict[ReplicaKey, One])

    def refusal(self, verb: str, keys: list[ReplicaKey]) -> type[Exception] | None:
        """The error that a step must raise."""
        there = [key for key in keys if key in self.rows]
        if verb == "add" and (there or len(set(keys)) < len(keys)):
            return ReplicaExists
        if verb in {"hold", "release"} and len(there) < len(keys):
            return ReplicaNotFound
        if verb in {"hold", "place"} and any(self.rows[key].state is D for key in there):
            return ReplicaBeingDeleted
        return None

    def free(self, keys: list[ReplicaKey]) -> bool:
        """Say whether these releases take more holds than there are."""
        return all(self.rows[key].holds >= n for key, n in Counter(keys).items() if key in self.rows)

    def doomed(self) -> list[ReplicaKey]:
        """What the reaper may claim."""
        copied = Counter(key.did_id for key, one in self.rows.items() if one.state is C)
        return sorted(
            key
            for key, one in self.rows.items()
            if one.tombstone and one.holds == 0 and not copied[key.did_id] - (one.state is C)
        )

    def change(self, verb: str, keys: list[ReplicaKey]) -> None:
        """Do as a step does that is not refused."""
        for key in keys:
            one = self.rows.get(key)
            if verb == "add":
                self.rows[key] = One(A)
            elif verb in {"place", "hold"}:
                one = self.rows.setdefault(key, One(C))
                one.holds, one.tombstone = one.holds + 1, False
            elif verb == "release" and one is not None:
                one.holds -= 1
                one.tombstone = one.holds == 0
            elif verb == "arrive" and one is not None and one.state is C:
                one.state = A
            elif verb == "lose" and one is not None and one.state is C and one.holds == 0:
                del self.rows[key]


async def claim(conn: Connection, world: World) -> list[Doomed]:
    places = await deletion.doomed_places(conn)
    found = await deletion.lock_doomed(conn, places, now=MUCH_LATER, each=100)
    return await deletion.mark_deleting(conn, found)


async def remove(conn: Connection, world: World, doomed: list[Doomed]) -> None:
    """As the reaper's last step, which counts usage off in the same transaction."""
    await deletion.claim(conn, doomed, until=MUCH_LATER)
    own = await deletion.lock_deleting(conn, doomed, lease=MUCH_LATER)
    assert own == doomed
    gone = await deletion.remove(conn, own)
    await deletion.forget(conn, own)
    usage = plan.sums((rse_id, -1, -size) for _, rse_id, size in gone)
    await rows.add_usage(conn, world.belle, usage)


async def carry_out(conn: Connection, world: World, model: Model, verb: str, keys: list[ReplicaKey]) -> None:
    vo, sizes = world.belle, [10 * key.did_id % 1000 for key in keys]
    if verb in {"claim", "remove"}:
        expected = model.doomed()
        doomed = await claim(conn, world)
        assert sorted(ReplicaKey(one.did_id, one.rse_id) for one in doomed) == expected
        for key in expected:
            model.rows[key].state = D
        if verb == "remove":
            await remove(conn, world, doomed)
            for key in expected:
                del model.rows[key]
        return
    if verb == "release" and not model.free(keys):
        return

    async def step() -> None:
        if verb == "add":
            await service.add(conn, vo, keys, sizes, A)
        elif verb == "place":
            states = await service.place(conn, vo, keys, sizes)
            assert states == {key: model.rows[key].state if key in model.rows else C for key in set(keys)}
        elif verb == "hold":
            assert await service.hold(conn, vo, keys) == {key: model.rows[key].state for key in keys}
        elif verb == "release":
            await service.release(conn, vo, keys)
        elif verb == "arrive":
            came = {key for key in keys if key in model.rows and model.rows[key].state is C}
            assert await service.arrive(conn, vo, keys) == sorted(came)
        else:
            await service.lose(conn, vo, keys)

    if (refusal := model.refusal(verb, keys)) is not None:
        with pytest.raises(refusal):
            async with conn.transaction():
                await step()
        return
    await step()
    model.change(verb, keys)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
async def test_replicas_are_what_their_model_says(
    conn: Connection, world: World, steps: list[tuple[str, list[tuple[int, int]]]]
) -> None:
    async with conn.transaction(force_rollback=True):
        ids = await given_files(conn, world, "a", "b", "c")
        at = [world.resource["A-DISK"], world.resource["B-DISK"]]
        model = Model()
        for verb, keys in steps:
            await carry_out(conn, world, model, verb, [ReplicaKey(ids[file], at[rse]) for file, rse in keys])
            found = {r.key: r for r in await service.list(conn, world.belle, ids)}
            said = {key: (r.state, r.lock_count, r.tombstone_at is not None) for key, r in found.items()}
            assert said == {key: (one.state, one.holds, one.tombstone) for key, one in model.rows.items()}
            usage = [one for one in await service.usage(conn, world.belle) if one.files or one.size]
            assert usage == await recounted(conn, world.belle)
