"""Whatever is made, filled, found, held by rules, erased and restored: the catalogue is what a small model of it says.

A step is a kind of deed and a number that chooses among what there is. After each the tasks that it deferred run, and
the database is compared with the model; locks, usage, tallies and directories are counted anew.
"""

import json
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from sancho.dids import service
from sancho.dids.errors import (
    CollectionClosed,
    CollectionMonotonic,
    Cycle,
    DidExists,
    KindsMismatch,
    NotACollection,
    PathNotFound,
)
from sancho.dids.model import Attachment, Child, DidKind, NewCollection, NewFile, Tally
from sancho.kit.db import Connection
from sancho.replicas import service as replicas
from sancho.replicas.model import ReplicaKey, ReplicaState
from sancho.rules import service as rules
from sancho.rules.model import Change
from sancho.rules.service import erasing, repairing
from tests.dids.given import person
from tests.dids.metadata_given import apply, say
from tests.rules.given import arrive, check_exact, given_rule
from tests.world import World

FAR = datetime(2100, 1, 1, tzinfo=UTC)
FOLDERS = ("", "a/", "a/b/")
RUNS = 3


@dataclass
class Thing:
    """A DID as the model knows it."""

    name: str
    did_id: int
    kind: DidKind
    owner: str = "alice"
    size: int = 0
    run: int | None = None
    inside: set[str] = field(default_factory=set[str])
    closed: bool = False
    monotonic: bool = False
    ends: bool = False
    follows: bool = False
    """It ends because its dataset did, and lives on if it comes into another one."""
    least: int | None = None
    """It follows a search for runs from here on."""


@dataclass
class Held:
    """A rule as the model knows it."""

    name: str
    account: str
    locked: bool


@dataclass
class Story:
    """What has happened so far, in the database and in the model."""

    conn: Connection
    world: World
    there: dict[str, Thing] = field(default_factory=dict[str, Thing])
    gone: list[str] = field(default_factory=list[str])
    rules: dict[int, Held] = field(default_factory=dict[int, Held])
    past: list[tuple[datetime, dict[str, set[str]]]] = field(default_factory=list[tuple[datetime, dict[str, set[str]]]])
    made: int = 0

    # ---- what is there

    def all(self, *kinds: DidKind) -> list[Thing]:
        return [one for one in self.there.values() if not kinds or one.kind in kinds]

    @property
    def collections(self) -> list[Thing]:
        return self.all(DidKind.DATASET, DidKind.CONTAINER)

    @property
    def smart(self) -> list[Thing]:
        return [one for one in self.collections if one.least is not None]

    def one(self, n: int, among: list[Thing]) -> Thing:
        return among[n % len(among)]

    def below(self, thing: Thing) -> dict[str, Thing]:
        """Everything at any depth, itself included."""
        found = {thing.name: thing}
        for name in thing.inside:
            found |= self.below(self.there[name])
        return found

    def files_below(self, thing: Thing) -> set[str]:
        return {one.name for one in self.below(thing).values() if one.kind is DidKind.FILE}

    def holders(self, name: str) -> list[Thing]:
        return [thing for thing in self.collections if name in thing.inside]

    def above(self, thing: Thing) -> set[str]:
        """Everything that it is in, at any depth, itself included."""
        return {thing.name}.union(*(self.above(holder) for holder in self.holders(thing.name)))

    async def attempt(self, work: Coroutine[Any, Any, Any], refusal: type[Exception] | None) -> bool:
        """Do it, or see that it is refused so and nothing of it stays."""
        if refusal is None:
            await work
            return True
        with pytest.raises(refusal):
            async with self.conn.transaction():
                await work
        return False

    # ---- steps: DIDs and what they hold

    async def make_files(self, n: int) -> None:
        """A file or two of somebody, which say their run, and lie on A-DISK."""
        owner = ("alice", "alice", "alice", "bob")[n % 4]
        names = [f"{FOLDERS[(n + i) % 3]}f{self.made + i}" for i in range(1 + n % 2)]
        account = self.world.account[1, owner]
        files = [NewFile(None, self.world.scope[1, "mc"], name, 1 + n + i, None) for i, name in enumerate(names)]
        ids = await service.register_files(self.conn, 1, account, files)
        keys = [ReplicaKey(did_id, self.world.resource["A-DISK"]) for did_id in ids]
        await replicas.add(self.conn, 1, keys, [file.size for file in files], ReplicaState.AVAILABLE)
        for did_id, file in zip(ids, files, strict=True):
            self.there[file.name] = Thing(file.name, did_id, DidKind.FILE, owner=owner, size=file.size)
            await self.say_run(self.there[file.name], n % RUNS)
        self.made += len(names)

    async def make_collection(self, n: int) -> None:
        """An empty one; now and then by a name that is taken, or was."""
        if n % 7 == 6 and (taken := [*self.there, *self.gone]):
            new = NewCollection(f"mc:{taken[n % len(taken)]}", DidKind.DATASET)
            await self.attempt(service.create_all(self.conn, person(self.world, "alice"), [new]), DidExists)
            return
        kind, name = (DidKind.DATASET, DidKind.DATASET, DidKind.CONTAINER)[n % 3], f"c{self.made}"
        self.made += 1
        new = NewCollection(f"mc:{name}", kind, monotonic=n % 5 == 4)
        await service.create_all(self.conn, person(self.world, "alice"), [new])
        did = await service.get(self.conn, 1, f"mc:{name}")
        self.there[name] = Thing(name, did.did_id, kind, monotonic=new.monotonic)

    async def attach_what_fits(self, n: int) -> None:
        parent = self.one(n, self.collections)
        children = [one for one in self.all(*parent.kind.holds) if parent.name not in self.below(one)][n // 5 :: 2]
        if not children or parent.closed:
            return
        if n % 2:
            said = Attachment(f"mc:{parent.name}", tuple(Child(f"mc:{one.name}") for one in children))
            done = await service.attach_all(self.conn, person(self.world, "alice"), [said, said])
        else:
            done = len(await service.attach(self.conn, 1, parent.did_id, [one.did_id for one in children]))
        assert done == len({one.name for one in children} - parent.inside)
        parent.inside |= {one.name for one in children}

    async def attach_anything(self, n: int) -> None:
        """What may not fit, or what it is in itself."""
        parent, children = self.one(n, self.all()), [self.one(n // 3, self.all()), self.one(n // 7, self.all())]
        inner = [one for one in self.all(DidKind.CONTAINER) if len(self.above(one)) > 1 and not one.closed]
        if n % 2 and inner:
            parent = self.one(n // 2, inner)
            children = [self.there[max(self.above(parent) - {parent.name}, key=lambda name: self.there[name].did_id)]]
        refusal: type[Exception] | None = None
        if parent.kind is DidKind.FILE:
            refusal = NotACollection
        elif parent.closed:
            refusal = CollectionClosed
        elif parent.kind is DidKind.CONTAINER and any(parent.name in self.below(child) for child in children):
            refusal = Cycle
        elif any(child.kind not in parent.kind.holds for child in children):
            refusal = KindsMismatch
        ids = [child.did_id for child in children]
        if await self.attempt(service.attach(self.conn, 1, parent.did_id, ids), refusal):
            parent.inside |= {child.name for child in children}

    async def detach(self, n: int) -> None:
        full = [one for one in self.collections if one.inside] or self.all()
        firm = [one for one in full if one.closed or one.monotonic]
        parent = self.one(n // 3, firm if firm and n % 3 == 0 else full)
        children = [self.there[name] for name in sorted(parent.inside)][n // 4 % 2 :: 2] or [self.one(n, self.all())]
        refusal: type[Exception] | None = None
        if parent.kind is DidKind.FILE:
            refusal = NotACollection
        elif parent.closed or parent.monotonic:
            refusal = CollectionClosed if parent.closed else CollectionMonotonic
        ids = [child.did_id for child in children]
        if await self.attempt(service.detach(self.conn, 1, parent.did_id, ids), refusal):
            parent.inside -= {child.name for child in children}

    async def close_or_open(self, n: int) -> None:
        closed = [one for one in self.collections if one.closed]
        one = self.one(n // 2, closed if closed and n % 2 else self.collections)
        await service.set_open(self.conn, person(self.world, "alice"), f"mc:{one.name}", is_open=one.closed)
        one.closed = not one.closed

    async def let_grow(self, n: int) -> None:
        one = self.one(n // 2, self.smart if self.smart and n % 2 else self.collections)
        await service.set_monotonic(self.conn, person(self.world, "alice"), f"mc:{one.name}")
        one.monotonic = True

    async def count_elsewhere(self, n: int) -> None:
        """Some of what was counted was counted by another connection."""
        files, size = n % 3, n
        await self.conn.execute(
            """
            WITH less AS (
                UPDATE collection_tally SET files = files - %(files)s, size = size - %(size)s
                 WHERE slot = pg_backend_pid() %% 16 RETURNING vo, did_id)
            INSERT INTO collection_tally AS known (vo, slot, did_id, files, size)
            SELECT vo, (pg_backend_pid() + 1) %% 16, did_id, %(files)s, %(size)s FROM less
                ON CONFLICT (did_id, vo, slot)
                DO UPDATE SET files = known.files + EXCLUDED.files, size = known.size + EXCLUDED.size
            """,
            {"files": files, "size": size},
        )

    # ---- steps: what they say, and smart datasets

    async def say_something(self, n: int) -> None:
        found = [self.there[name] for one in self.smart for name in sorted(one.inside)]
        if files := (found if n % 2 else self.all(DidKind.FILE)):
            await self.say_run(self.one(n // 2, files), n // 3 % RUNS)

    async def say_run(self, one: Thing, run: int) -> None:
        await say(self.conn, self.world, one.name, account=one.owner, run=run)
        one.run = run

    async def follow(self, n: int) -> None:
        """A dataset, a new one or one that is there, follows a search."""
        names = [one.name for one in self.all(DidKind.DATASET) if not one.closed]
        name = names[n % len(names)] if names and n % 2 else f"c{self.made}"
        least = n % RUNS
        await service.follow(self.conn, person(self.world, "alice"), f"mc:{name}", f"run >= {least}", ())
        if name not in self.there:
            self.made += 1
            did = await service.get(self.conn, 1, f"mc:{name}")
            self.there[name] = Thing(name, did.did_id, DidKind.DATASET)
        self.there[name].least = least
        if n % 3 == 0:
            await service.set_monotonic(self.conn, person(self.world, "alice"), f"mc:{name}")
            self.there[name].monotonic = True
        await self.refresh(n)

    async def refresh(self, n: int) -> None:
        """All smart datasets are brought up to date."""
        _ = n
        for one in self.smart:
            await service.refresh(self.conn, 1, one.did_id, ())
            if one.closed:
                continue
            least = one.least or 0
            fitting = {file.name for file in self.all(DidKind.FILE) if file.run is not None and file.run >= least}
            stays = one.inside if one.monotonic else one.inside & fitting
            one.inside = stays | {name for name in fitting if not self.there[name].follows}

    async def freeze(self, n: int) -> None:
        if smart := self.smart:
            one = self.one(n, smart)
            await service.freeze(self.conn, person(self.world, "alice"), f"mc:{one.name}")
            one.least, one.closed = None, True

    # ---- steps: rules

    async def ask_for_rule(self, n: int) -> None:
        on, account = self.one(n, self.all()), ("alice", "alice", "alice", "bob")[n // 2 % 4]
        await self.put_under_rule(on, account, n)

    async def put_under_rule(self, on: Thing, account: str, n: int) -> int:
        made = await given_rule(
            self.conn, self.world, f"mc:{on.name}", to=("A-DISK", "B-DISK")[n % 2], account=account
        )  # fmt: skip
        self.rules[made.rule_id] = Held(on.name, account, locked=n % 5 == 0)
        if n % 5 == 0:
            change = Change(frozenset({"locked"}), locked=True)
            await rules.change(self.conn, person(self.world, account), made.rule_id, change)
        return made.rule_id

    async def drop_rule(self, n: int) -> None:
        """Whose it is unlocks it and withdraws it."""
        if self.rules:
            await self.drop(list(self.rules)[n % len(self.rules)])

    async def drop(self, rule_id: int) -> None:
        if rule_id in self.rules:
            owner = person(self.world, self.rules.pop(rule_id).account)
            await rules.change(self.conn, owner, rule_id, Change(frozenset({"locked"}), locked=False))
            await rules.delete(self.conn, owner, rule_id)

    async def withdraw(self, n: int) -> None:
        on, account = self.one(n, self.all()), ("alice", "bob")[n % 2]
        mine = [
            i for i, rule in self.rules.items()
            if (rule.name, rule.account, rule.locked) == (on.name, account, False)
        ]  # fmt: skip
        done = await rules.withdraw(self.conn, person(self.world, account), f"mc:{on.name}")
        self.rules = {i: rule for i, rule in self.rules.items() if i not in mine}
        assert done.withdrawn == mine
        files = self.files_below(on)
        held_by = {i for i, rule in self.rules.items()
                   if rule.name == on.name or files & self.files_below(self.there[rule.name])}  # fmt: skip
        assert {holder.rule_id for holder in done.held_by} == held_by

    async def let_arrive(self, n: int) -> None:
        rows = await self.rows("SELECT did_id, rse_id FROM replica WHERE state = 'C' ORDER BY 1, 2")
        await arrive(self.conn, self.world, [ReplicaKey(*row) for row in rows][n % 2 :: 2])

    # ---- steps: lives

    async def erase(self, n: int) -> None:
        among = (self.smart, self.all(DidKind.DATASET), self.all(DidKind.FILE), self.all())[n % 4]
        one = self.one(n // 4, among or self.all())
        owner, names = person(self.world, one.owner), [f"mc:{one.name}"]
        await service.erase(self.conn, owner, names, after=timedelta(days=1))
        one.ends, one.follows = True, False

    async def come_back(self, n: int) -> None:
        """A file outlives its dataset, because of a rule of somebody else, and then comes into another one."""
        sets = [one for one in self.all(DidKind.DATASET) if not self.is_held(one) and one.least is None]
        files = [self.there[name] for one in sets for name in sorted(one.inside) if len(self.holders(name)) == 1]
        open_sets = [one for one in self.all(DidKind.DATASET) if not one.closed and one.least is None]
        if not files or len(open_sets) < 2:
            return
        file = self.one(n, files)
        [old] = self.holders(file.name)
        rule_id = await self.put_under_rule(file, "bob", 2 * n + 1)
        await service.erase(self.conn, person(self.world, "alice"), [f"mc:{old.name}"], after=timedelta(days=1))
        old.ends, old.follows = True, False
        await self.let_time_pass(n)
        new = self.one(n, [one for one in open_sets if one.name in self.there] or [file])
        if new is not file and file.name in self.there:
            await service.attach(self.conn, 1, new.did_id, [file.did_id])
            new.inside.add(file.name)
        await self.run_tasks()
        await self.drop(rule_id)
        await self.let_time_pass(n)

    async def restore(self, n: int) -> None:
        if ending := [one for one in self.all() if one.ends]:
            one = self.one(n, ending)
            await service.restore(self.conn, person(self.world, one.owner), [f"mc:{one.name}"])
            one.ends = one.follows = False

    async def let_time_pass(self, n: int) -> None:
        """All that may end ends."""
        _ = n
        while True:
            rows = await self.rows("SELECT did_id FROM ending ORDER BY 1")
            ended = await erasing.end(self.conn, 1, [row[0] for row in rows], FAR)
            assert ended == self.end_what_may()
            await self.run_tasks()
            if not ended:
                return

    def end_what_may(self) -> int:
        """What one run of the worker ends, in the model."""
        for one in self.all():
            if one.follows and self.holders(one.name):
                one.ends = one.follows = False
        free = [one for one in self.all() if one.ends and not self.is_held(one)]
        emptied: list[tuple[Thing, Thing]] = []
        for one in free:
            self.rules = {i: rule for i, rule in self.rules.items() if rule.name != one.name}
            emptied += [(one, self.there[name]) for name in one.inside]
            one.inside = set()
        for parent, child in emptied:
            mine = child.kind is DidKind.FILE and child.owner == parent.owner and parent.least is None
            if mine and not self.holders(child.name):
                child.ends = child.follows = True
        for one in free:
            for holder in self.holders(one.name):
                holder.inside.discard(one.name)
            del self.there[one.name]
            self.gone.append(one.name)
        return len(free)

    def is_held(self, one: Thing) -> bool:
        """By a firm collection, or a rule of others, or a locked one, on it or above it."""
        above = self.above(one)
        firm = any(holder.closed or holder.monotonic for holder in self.holders(one.name))
        return firm or any(
            rule.name in above and (rule.locked or rule.account != one.owner) for rule in self.rules.values()
        )

    # ---- what follows

    async def run_tasks(self) -> None:
        """The tasks of rules that wait."""
        names = ["rules:extend", "rules:retract", "rules:place"]
        take = "DELETE FROM procrastinate_jobs WHERE task_name = ANY(%s) RETURNING id, task_name, args - 'traceparent'"
        for _, name, told in sorted(await self.rows(take, names), key=lambda row: row[0]):
            if name == "rules:extend":
                await rules.extend(self.conn, **told)
            elif name == "rules:retract":
                while await rules.retract(self.conn, **told):
                    pass
            else:
                await self.place(told["rule_id"])

    async def place(self, rule_id: int) -> None:
        after: int | None = 0
        while after is not None:
            after = await repairing._place_batch(self.conn, 1, rule_id, after)
            if after == repairing.END:
                after = await repairing._finish(self.conn, 1, rule_id)

    async def rows(self, query: str, *params: object) -> list[Any]:
        return await (await self.conn.execute(query, params)).fetchall()  # pyright: ignore[reportArgumentType]

    # ---- what must hold

    async def compare(self, n: int) -> None:
        names = [f"mc:{name}" for name in (*self.there, *self.gone)]
        found = {did.name: did for did in await service.find_all(self.conn, 1, names)}
        assert found.keys() == self.there.keys()
        for name, one in self.there.items():
            did = found[name]
            assert (did.monotonic, did.ends_at is not None) == (one.monotonic, one.ends), name
            assert one.kind is DidKind.FILE or did.open is not one.closed, name
        full = [one for one in self.collections if one.inside]
        inside = {one.did_id: {self.there[name].did_id for name in one.inside} for one in full}
        assert await self.attachments() == inside
        ids = [one.did_id for one in self.collections]
        tallies = await service.tallies(self.conn, 1, ids)
        assert tallies == {one.did_id: self.tally(one) for one in self.collections}
        assert {row[0] for row in await self.rows("SELECT rule_id FROM rule")} == self.rules.keys()
        if self.collections:
            await self.look_at(self.one(n, self.collections), n)
        await self.look_into(n)

    async def remember(self) -> None:
        """Ask later what was where at this time."""
        at = (await self.rows("SELECT clock_timestamp()"))[0][0]
        self.past.append((at, {one.name: set(one.inside) for one in self.collections}))

    def tally(self, one: Thing) -> Tally:
        sets = [thing for thing in self.below(one).values() if thing.kind is DidKind.DATASET]
        held = [self.there[name] for thing in sets for name in thing.inside]
        return Tally(len(held), sum(file.size for file in held))

    async def attachments(self) -> dict[int, set[int]]:
        found: dict[int, set[int]] = {}
        for parent_id, child_id in await self.rows("SELECT parent_id, child_id FROM attachment"):
            found.setdefault(parent_id, set()).add(child_id)
        return found

    async def look_at(self, one: Thing, n: int) -> None:
        """What the catalogue says of one collection, now and then."""
        did = await service.get(self.conn, 1, f"mc:{one.name}")
        assert await service.info(self.conn, did) == self.tally(one)
        files = {self.there[name].did_id for name in self.files_below(one)}
        assert {file.did_id for file in await service.files(self.conn, 1, [did.did_id])} == files
        for at, held in self.past[-1 - n % 6 :: 2][:2]:
            assert await self.inside(one.name, at) == held.get(one.name, set()), (one.name, at)

    async def inside(self, name: str, at: datetime | None) -> set[str]:
        did = await service.get(self.conn, 1, f"mc:{name}")
        text = b"".join([part async for part in service.stream_contents(self.conn, did, at=at)])
        return {item["did"].removeprefix("mc:") for item in json.loads(text)["items"]}

    async def look_into(self, n: int) -> None:
        """What a directory has in it, and below it."""
        folder = FOLDERS[n % 3]
        below = [one for one in self.there.values() if one.name.startswith(folder)]
        looked = service.look(self.conn, person(self.world, "alice"), f"/belle/mc/{folder}", limit=1000)
        if folder and not below:
            with pytest.raises(PathNotFound):
                await looked
            return
        found = await looked
        files = [one for one in below if one.kind is DidKind.FILE]
        assert found.directory == Tally(len(files), sum(one.size for one in files))
        entries = {rest if not more else f"{rest}/" for one in below
                   for rest, more, _ in [one.name.removeprefix(folder).partition("/")]}  # fmt: skip
        said = {entry.name.removeprefix(folder) + ("/" if entry.kind is None else "") for entry in found.entries}
        assert said == entries


Step = Callable[[Story, int], Awaitable[None]]
STEPS: dict[Step, int] = {
    Story.make_files: 2, Story.make_collection: 2, Story.attach_what_fits: 5, Story.attach_anything: 2,
    Story.detach: 4, Story.close_or_open: 3, Story.let_grow: 1, Story.count_elsewhere: 1, Story.say_something: 3,
    Story.follow: 3, Story.refresh: 3, Story.freeze: 1, Story.ask_for_rule: 7, Story.drop_rule: 2, Story.withdraw: 2,
    Story.let_arrive: 1, Story.erase: 8, Story.restore: 1, Story.let_time_pass: 5, Story.come_back: 3,
}  # fmt: skip
"""Each with its weight."""
STEPS_IN_STORY = 35
AT_ONCE = 3
"""Steps after which the model is compared with the database."""


async def begin(told: Story) -> None:
    """Two datasets that share a file, in the innermost of three containers; a third has found a file in neither."""
    for n in (1, 3, 5):
        await told.make_files(n)
    files = [one.name for one in told.all(DidKind.FILE)]
    for n in (0, 1, 2, 5, 8):
        await told.make_collection(n)
    one, other, *boxes = told.collections
    held = [(one, files[:3]), (other, files[2:-1]), (boxes[0], [one.name, other.name])]
    for parent, names in [*held, (boxes[1], [boxes[0].name]), (boxes[2], [boxes[1].name])]:
        await service.attach(told.conn, 1, parent.did_id, [told.there[name].did_id for name in names])
        parent.inside |= set(names)
    await told.follow(2)


def steps_of(seed: int) -> list[tuple[Step, int]]:
    """A story, drawn here: lists that Hypothesis draws have few kinds of steps each, many times."""
    drawn = Random(seed)
    return [
        (drawn.choices(list(STEPS), list(STEPS.values()))[0], drawn.randrange(1000)) for _ in range(STEPS_IN_STORY)
    ]  # fmt: skip


@settings(max_examples=16, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
async def test_the_catalogue_is_what_its_model_says(conn: Connection, world: World, seed: int) -> None:
    async with conn.transaction(force_rollback=True):
        await apply(conn, world, run={"kind": "integer"})
        told = Story(conn, world)
        await begin(told)
        for k, (happen, n) in enumerate(steps_of(seed)):
            note(f"{happen.__name__}({n})")
            await happen(told, n)
            await told.run_tasks()
            if k % AT_ONCE == 0:
                await told.compare(n)
                await told.remember()
        await told.let_time_pass(0)
        await told.compare(0)
        await check_exact(conn)
