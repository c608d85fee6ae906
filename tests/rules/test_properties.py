"""Any sequence of what can happen to rules leaves every counter exact."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sancho.dids import service as dids
from sancho.dids.model import DidKind
from sancho.kit.db import Connection
from sancho.replicas import service as replicas
from sancho.replicas.model import ReplicaKey
from sancho.rses.errors import RseExpressionEmpty
from sancho.rules import service
from sancho.rules.errors import NotFewerCopies, QuotaExceeded, RuleMoving, TooFewRses
from sancho.rules.model import Change, Hold
from sancho.rules.service import moving, repairing
from sancho.rules.service.counting import revive
from sancho.rules.service.leaving import _remove
from sancho.rules.store import terms
from tests.dids.given import given_collection, person
from tests.rules.given import BOTH, arrive, check_exact, fail, given_files, given_quota, given_rule, recopy
from tests.world import World

DATASETS = ("run1", "run2")
ROOTS = (*DATASETS, "year")
ACCOUNTS = ("alice", "bob")
REFUSED = (QuotaExceeded, TooFewRses, NotFewerCopies, RuleMoving, RseExpressionEmpty)
"""What a rule may not do, as things stand."""


@dataclass
class Story:
    """What has happened so far, and what may happen next; numbers choose among what there is."""

    conn: Connection
    world: World
    ids: dict[str, int]
    files: int = 0
    rules: list[int] = field(default_factory=list[int])
    waiting: list[int] = field(default_factory=list[int])
    held: list[Hold] = field(default_factory=list[Hold])

    async def create(self, n: int) -> None:
        to = (BOTH, "A-DISK", "B-DISK")[n % 3]
        copies = 2 if to == BOTH and n % 2 else 1
        try:
            async with self.conn.transaction():
                rule = await given_rule(
                    self.conn, self.world, f"mc:{ROOTS[n % 3]}", to=to, copies=copies, account=ACCOUNTS[n % 2]
                )
                self.rules.append(rule.rule_id)
        except QuotaExceeded:
            pass

    async def ensure(self, n: int) -> None:
        rule = await service.ensure(
            self.conn, self.world.belle, self.world.account[1, ACCOUNTS[n % 2]], self.ids[ROOTS[n % 3]], copies=1,
            rse_expression="A-DISK",
        )  # fmt: skip
        self.rules = sorted({*self.rules, rule.rule_id})

    async def attach(self, n: int) -> None:
        names = [f"f{self.files + i}" for i in range(1 + n % 3)]
        self.files += len(names)
        parent = self.ids[DATASETS[n % 2]]
        new = await given_files(self.conn, self.world, names, into=parent, rse=(None, "A-DISK", "B-DISK")[n % 3])
        freed = [self.held.pop()] if self.held and n % 2 else []
        await service.extend(self.conn, self.world.belle, parent_ids=[parent], file_ids=new, freed=freed)

    async def detach(self, n: int) -> None:
        parent = self.ids[ROOTS[n % 3]]
        inside = [row[0] for row in await self._rows("SELECT child_id FROM attachment WHERE parent_id = %s", parent)]
        gone = await dids.detach(self.conn, self.world.belle, parent, inside[n % 2 :][: 1 + n % 3])
        below = [file.did_id for file in await dids.files(self.conn, self.world.belle, gone)]
        while await service.retract(self.conn, self.world.belle, parent_ids=[parent], file_ids=below):
            pass

    async def share(self, n: int) -> None:
        """What one dataset holds is attached to the other as well, and both to the container again."""
        some = [row[0] for row in await self._rows("SELECT did_id FROM did WHERE kind = 'F' ORDER BY 1")][:n]
        parents = [self.ids[DATASETS[n % 2]], self.ids["year"]]
        for parent, children in zip(parents, (some, [self.ids[name] for name in DATASETS]), strict=True):
            new = await dids.attach(self.conn, self.world.belle, parent, children, announce=False)
            below = [file.did_id for file in await dids.files(self.conn, self.world.belle, new)]
            await service.extend(self.conn, self.world.belle, parent_ids=[parent], file_ids=below)

    async def hold(self, n: int) -> None:
        hold = Hold(self.world.account[1, ACCOUNTS[n % 2]], self.world.resource["A-DISK"], 1 + n)
        try:
            async with self.conn.transaction():
                await service.hold_quota(self.conn, self.world.belle, *hold)
                self.held.append(hold)
        except QuotaExceeded:
            pass

    async def free(self, n: int) -> None:
        if self.held:
            await service.free_quota(self.conn, self.world.belle, *self.held.pop(n % len(self.held)))

    async def limit(self, n: int) -> None:
        await given_quota(self.conn, self.world, "all", n * 50)

    async def arrive(self, n: int) -> None:
        await arrive(self.conn, self.world, await self._copying(n))

    async def fail(self, n: int) -> None:
        await fail(self.conn, self.world, await self._copying(n))

    async def revive(self, n: int) -> None:
        await revive(self.conn, self.world.belle, await self._copying(n))

    async def spoil(self, n: int) -> None:
        keys = await self._keys("SELECT did_id, rse_id FROM replica WHERE state = 'A' ORDER BY 1, 2")
        await replicas.mark_bad(self.conn, self.world.belle, keys[n % max(len(keys), 1) :][:1])

    async def delete(self, n: int) -> None:
        if self.rules:
            await service.delete(self.conn, person(self.world, "root", "*"), self.rules.pop(n % len(self.rules)))

    async def expire(self, n: int) -> None:
        if self.rules:
            gone = False
            rule_id = self.rules.pop(n % len(self.rules))
            while not gone:
                gone = await _remove(self.conn, self.world.belle, rule_id, 2)
                await check_exact(self.conn)

    async def ask(self, n: int) -> None:
        rule = await given_rule(
            self.conn, self.world, f"mc:{ROOTS[n % 3]}", to=BOTH, account=ACCOUNTS[n % 2], ask_approval=True
        )
        self.waiting.append(rule.rule_id)

    async def decide(self, n: int) -> None:
        """Somebody approves or denies a rule; an approved one is placed."""
        if not self.waiting:
            return
        rule_id, root = self.waiting.pop(n % len(self.waiting)), person(self.world, "root", "*")
        if n % 3 == 0:
            await service.deny(self.conn, root, rule_id, "no")
            return
        await service.approve(self.conn, root, rule_id)
        self.rules.append(rule_id)
        after: int | None = 0
        while after is not None:
            after = await repairing._place_batch(self.conn, self.world.belle, rule_id, after)
            if after == repairing.END:
                after = await repairing._finish(self.conn, self.world.belle, rule_id)

    async def move(self, n: int) -> None:
        if self.rules:
            try:
                async with self.conn.transaction():
                    root, old = person(self.world, "root", "*"), self.rules[n % len(self.rules)]
                    new = await service.move(self.conn, root, old, ("A-DISK", "B-DISK", BOTH)[n % 3])
                    self.rules.append(new.rule_id)
            except REFUSED:
                pass

    async def replace(self, n: int) -> None:
        """The tasks run that let go and remove the rules whose place others have taken."""
        settled = await terms.settled_moves(self.conn, [self.world.belle], 1 + n)
        await moving._replace(self.conn, self.world.belle, [(new, old) for _, new, old in settled])
        for _, _, old in settled:
            await _remove(self.conn, self.world.belle, old, 1000)
            self.rules = [rule_id for rule_id in self.rules if rule_id != old]

    async def reduce(self, n: int) -> None:
        if self.rules:
            try:
                async with self.conn.transaction():
                    root, exclude = person(self.world, "root", "*"), (None, "A-DISK", "B-DISK")[n % 3]
                    await service.reduce(self.conn, root, self.rules[n % len(self.rules)], 1, exclude=exclude)
            except REFUSED:
                pass

    async def give(self, n: int) -> None:
        if self.rules:
            try:
                async with self.conn.transaction():
                    to = Change(frozenset({"account"}), account=ACCOUNTS[n // 2 % 2])
                    root = person(self.world, "root", "*")
                    await service.change(self.conn, root, self.rules[n % len(self.rules)], to)
            except QuotaExceeded:
                pass

    async def _copying(self, n: int) -> list[ReplicaKey]:
        keys = await self._keys("SELECT did_id, rse_id FROM replica WHERE state = 'C' ORDER BY 1, 2")
        return keys[n % max(len(keys), 1) :][: 1 + n % 4]

    async def _keys(self, query: str) -> list[ReplicaKey]:
        return [ReplicaKey(*row) for row in await self._rows(query)]

    async def _rows(self, query: str, *params: int) -> list[Any]:
        return await (await self.conn.execute(query, params)).fetchall()  # pyright: ignore[reportArgumentType]


EVENTS: tuple[Callable[[Story, int], Awaitable[None]], ...] = (
    Story.create, Story.create, Story.ensure, Story.attach, Story.attach, Story.hold, Story.free, Story.limit,
    Story.arrive, Story.arrive, Story.fail, Story.revive, Story.spoil, Story.delete, Story.expire,
    Story.detach, Story.detach, Story.share, Story.ask, Story.decide, Story.move, Story.replace, Story.reduce,
    Story.give,
)  # fmt: skip


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(EVENTS), st.integers(0, 40)), min_size=5, max_size=25))
async def test_any_story_of_rules_leaves_every_counter_exact(
    conn: Connection, world: World, story: list[tuple[Callable[[Story, int], Awaitable[None]], int]]
) -> None:
    async with conn.transaction(force_rollback=True):
        ids = {name: await given_collection(conn, world, name) for name in DATASETS}
        ids["year"] = await given_collection(conn, world, "year", DidKind.CONTAINER)
        await dids.attach(conn, world.belle, ids["year"], [ids[name] for name in DATASETS], announce=False)
        await given_quota(conn, world, "all", 1500)
        await given_quota(conn, world, "alice", 700, account="alice", to="A-DISK")
        told = Story(conn, world, ids)

        for happen, n in story:
            await happen(told, n)
            await recopy(conn, world)
            await check_exact(conn)
