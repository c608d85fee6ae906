"""Whatever is made, attached, detached, closed, erased and restored: the catalogue is what a small model of it says."""

import asyncio
import json
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from sancho.dids import service
from sancho.dids.errors import CollectionClosed, CollectionMonotonic, Cycle, DidExists, KindsMismatch, NotACollection
from sancho.dids.model import DidKind, NewCollection
from sancho.kit.db import Connection
from sancho.rules.service import erasing
from tests.dids.given import given_files, person
from tests.world import World

T = TypeVar("T")
FAR = datetime(2100, 1, 1, tzinfo=UTC)
MOST = 8
HELD = (DidKind.DATASET, DidKind.DATASET, DidKind.CONTAINER)
PICK = st.integers(0, MOST - 1)


@dataclass
class Thing:
    """A DID as the model knows it."""

    name: str
    did_id: int
    kind: DidKind
    inside: set[str] = field(default_factory=set[str])
    closed: bool = False
    monotonic: bool = False
    ends: bool = False


class Catalogue(RuleBasedStateMachine):
    """Alice's DIDs in scope `mc`: every step is taken in the database and in the model."""

    conn: ClassVar[Connection]
    world: ClassVar[World]
    loop: ClassVar[asyncio.AbstractEventLoop]

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """The machine runs beside the loop that the connection lives in."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    @initialize()
    def begin(self) -> None:
        self.alice = person(self.world, "alice")
        self.there: dict[str, Thing] = {}
        self.gone: set[str] = set()
        self.past: list[tuple[datetime, dict[str, set[str]]]] = []
        self.savepoint = self.conn.transaction(force_rollback=True)
        self.wait(self.savepoint.__aenter__())
        for n, kind in enumerate((None, None, None, *HELD)):
            self.make(n, kind, monotonic=False)

    def teardown(self) -> None:
        self.wait(self.savepoint.__aexit__(None, None, None))

    # ---- what is there

    def one(self, pick: int) -> Thing:
        return list(self.there.values())[pick % len(self.there)]

    def some(self, picks: list[int]) -> list[Thing]:
        return [self.one(pick) for pick in picks]

    def below(self, thing: Thing) -> set[str]:
        """Everything at any depth, itself included."""
        return {thing.name}.union(*(self.below(self.there[name]) for name in thing.inside))

    def holders(self, name: str) -> list[Thing]:
        return [thing for thing in self.there.values() if name in thing.inside]

    def attempt(self, work: Coroutine[Any, Any, Any], refusal: type[Exception] | None) -> bool:
        """Do it, or see that it is refused so."""

        async def inside() -> None:
            async with self.conn.transaction():
                await work

        if refusal is None:
            self.wait(inside())
            return True
        with pytest.raises(refusal):
            self.wait(inside())
        return False

    # ---- steps

    @precondition(lambda self: len(self.there) < 6)
    @rule(pick=PICK, collection=st.sampled_from([None, *HELD]), monotonic=st.booleans())
    def make(self, pick: int, collection: DidKind | None, monotonic: bool) -> None:
        name = f"n{pick}"
        taken = DidExists if name in self.there or name in self.gone else None
        if collection is None:
            made = self.attempt(given_files(self.conn, self.world, name), taken)
        else:
            new = NewCollection(f"mc:{name}", collection, monotonic)
            made = self.attempt(service.create_all(self.conn, self.alice, [new]), taken)
        if made:
            did = self.wait(service.get(self.conn, 1, f"mc:{name}"))
            self.there[name] = Thing(name, did.did_id, did.kind, monotonic=did.monotonic)

    @precondition(lambda self: any(one.kind is not DidKind.FILE for one in self.there.values()))
    @rule(pick=PICK, picks=st.lists(PICK, min_size=1, max_size=3))
    def attach_what_fits(self, pick: int, picks: list[int]) -> None:
        collections = [one for one in self.there.values() if one.kind is not DidKind.FILE]
        parent = collections[pick % len(collections)]
        fitting = [one for one in self.there.values() if one.kind in parent.kind.holds]
        if fitting:
            self.put(parent, [fitting[n % len(fitting)] for n in picks])

    @precondition(lambda self: self.there)
    @rule(pick=PICK, picks=st.lists(PICK, min_size=1, max_size=3))
    def attach_anything(self, pick: int, picks: list[int]) -> None:
        self.put(self.one(pick), self.some(picks))

    def put(self, parent: Thing, children: list[Thing]) -> None:
        refusal: type[Exception] | None = None
        if parent.kind is DidKind.FILE:
            refusal = NotACollection
        elif parent.closed:
            refusal = CollectionClosed
        elif parent.kind is DidKind.CONTAINER and any(parent.name in self.below(child) for child in children):
            refusal = Cycle
        elif any(child.kind not in parent.kind.holds for child in children):
            refusal = KindsMismatch
        if self.attempt(service.attach(self.conn, 1, parent.did_id, [c.did_id for c in children]), refusal):
            parent.inside |= {child.name for child in children}
            self.remember()

    @precondition(lambda self: self.there)
    @rule(pick=PICK, picks=st.lists(PICK, min_size=1, max_size=3))
    def detach(self, pick: int, picks: list[int]) -> None:
        parent, children = self.one(pick), self.some(picks)
        refusal: type[Exception] | None = None
        if parent.kind is DidKind.FILE:
            refusal = NotACollection
        elif parent.closed or parent.monotonic:
            refusal = CollectionMonotonic if parent.monotonic and not parent.closed else CollectionClosed
        if self.attempt(service.detach(self.conn, 1, parent.did_id, [c.did_id for c in children]), refusal):
            parent.inside -= {child.name for child in children}

    @precondition(lambda self: self.there)
    @rule(pick=PICK, closed=st.booleans())
    def close_or_open(self, pick: int, closed: bool) -> None:
        one = self.one(pick)
        refusal = NotACollection if one.kind is DidKind.FILE else None
        if self.attempt(service.set_open(self.conn, self.alice, f"mc:{one.name}", is_open=not closed), refusal):
            one.closed = closed

    @precondition(lambda self: self.there)
    @rule(pick=st.sampled_from([3, 4]))
    def let_grow(self, pick: int) -> None:
        one = self.one(pick)
        refusal = NotACollection if one.kind is DidKind.FILE else None
        if self.attempt(service.set_monotonic(self.conn, self.alice, f"mc:{one.name}"), refusal):
            one.monotonic = True

    @precondition(lambda self: self.there)
    @rule(pick=PICK, restored=st.sampled_from([False, False, True]), at_once=st.booleans())
    def erase_or_restore(self, pick: int, restored: bool, at_once: bool) -> None:
        one = self.one(pick)
        names = [f"mc:{one.name}"]
        work = service.restore(self.conn, self.alice, names) if restored else service.erase(
            self.conn, self.alice, names, after=timedelta(days=1)
        )  # fmt: skip
        self.attempt(work, None)
        one.ends = not restored
        if at_once:
            self.let_time_pass()

    def let_time_pass(self) -> None:
        """All that may end ends."""
        while self.wait(self.end_what_is_due()):
            pass
        while True:
            free = [
                one for one in self.there.values()
                if one.ends and not any(holder.closed or holder.monotonic for holder in self.holders(one.name))
            ]  # fmt: skip
            if not free:
                return
            for one in free:
                for holder in self.holders(one.name):
                    holder.inside.discard(one.name)
                del self.there[one.name]
                self.gone.add(one.name)
                if one.kind is DidKind.DATASET:
                    for name in one.inside & self.there.keys():
                        self.there[name].ends |= not self.holders(name)

    async def end_what_is_due(self) -> int:
        rows = await self.conn.execute("SELECT did_id FROM ending")
        return await erasing.end(self.conn, 1, [row[0] for row in await rows.fetchall()], FAR)

    def remember(self) -> None:
        """Ask later what was where at this time."""

        async def now() -> datetime:
            row = await (await self.conn.execute("SELECT clock_timestamp()")).fetchone()
            assert row is not None
            return row[0]

        at = self.wait(now())
        self.past.append((at, {one.name: set(one.inside) for one in self.there.values() if one.inside}))

    # ---- what must hold

    @invariant()
    def the_catalogue_is_what_the_model_says(self) -> None:
        self.wait(self.compare())

    async def compare(self) -> None:
        names = [f"mc:n{n}" for n in range(MOST)]
        found = {did.name: did for did in await service.find_all(self.conn, 1, names)}
        assert found.keys() == self.there.keys()
        for name, one in self.there.items():
            did = found[name]
            assert (did.monotonic, did.ends_at is not None) == (one.monotonic, one.ends), name
            if one.kind is DidKind.FILE:
                continue
            below = [self.there[thing] for thing in self.below(one)]
            assert did.open is not one.closed
            tallied = sum(len(thing.inside) for thing in below if thing.kind is DidKind.DATASET)
            assert (await service.info(self.conn, did)).files == tallied
            files = {thing.did_id for thing in below if thing.kind is DidKind.FILE}
            assert {file.did_id for file in await service.files(self.conn, 1, [did.did_id])} == files
            assert await self.inside(name, None) == one.inside
            for at, held in self.past[-5:]:
                assert await self.inside(name, at) == held.get(name, set()), (name, at)

    async def inside(self, name: str, at: datetime | None) -> set[str]:
        did = await service.get(self.conn, 1, f"mc:{name}")
        text = b"".join([part async for part in service.stream_contents(self.conn, did, at=at)])
        return {item["did"].removeprefix("mc:") for item in json.loads(text)["items"]}


async def test_the_catalogue_is_what_its_model_says(conn: Connection, world: World) -> None:
    Catalogue.conn, Catalogue.world, Catalogue.loop = conn, world, asyncio.get_running_loop()
    bounded = settings(
        max_examples=8, stateful_step_count=20, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )  # fmt: skip
    await asyncio.to_thread(run_state_machine_as_test, Catalogue, settings=bounded)
