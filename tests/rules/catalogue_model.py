"""The catalogue as a small model knows it, beside the database, and how they are compared."""

import json
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest

from sancho.dids import service
from sancho.dids.errors import (
    PathNotFound,
)
from sancho.dids.model import DidKind, Tally
from sancho.kit.db import Connection
from sancho.rules import service as rules
from sancho.rules.service import repairing
from tests.dids.given import person
from tests.world import World

FOLDERS = ("", "a/", "a/b/")


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
class Told:
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

    # ---- what ends

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
