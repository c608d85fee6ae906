"""What may happen to the catalogue: each step is taken in the database and in the model."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from sancho.dids import service
from sancho.dids.errors import (
    CollectionClosed,
    CollectionMonotonic,
    Cycle,
    DidExists,
    KindsMismatch,
    NotACollection,
)
from sancho.dids.model import Attachment, Child, DidKind, NewCollection, NewFile
from sancho.replicas import service as replicas
from sancho.replicas.model import ReplicaKey, ReplicaState
from sancho.rules import service as rules
from sancho.rules.model import Change
from sancho.rules.service import erasing
from tests.dids.given import person
from tests.dids.metadata_given import say
from tests.rules.catalogue_model import FOLDERS, Held, Thing, Told
from tests.rules.given import arrive, given_rule

FAR = datetime(2100, 1, 1, tzinfo=UTC)
RUNS = 3


class Story(Told):
    """Steps by numbers, which choose among what there is."""

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
        children = [one for one in self.all(*parent.kind.holds) if parent.name not in self.below(one)][n // 5 % 3 :: 2]
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


Step = Callable[[Story, int], Awaitable[None]]
STEPS: dict[Step, int] = {
    Story.make_files: 2, Story.make_collection: 2, Story.attach_what_fits: 5, Story.attach_anything: 2,
    Story.detach: 4, Story.close_or_open: 3, Story.let_grow: 1, Story.count_elsewhere: 1, Story.say_something: 3,
    Story.follow: 3, Story.refresh: 3, Story.freeze: 1, Story.ask_for_rule: 7, Story.drop_rule: 2, Story.withdraw: 2,
    Story.let_arrive: 1, Story.erase: 8, Story.restore: 1, Story.let_time_pass: 5, Story.come_back: 3,
}  # fmt: skip
"""Each with its weight."""
