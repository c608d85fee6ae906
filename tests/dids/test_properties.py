"""Whatever is attached, detached, closed and opened: the namespace is what a small model of it says."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sancho.dids import service
from sancho.dids.errors import CollectionClosed, Cycle, KindsMismatch, NotACollection
from sancho.dids.model import DidKind
from sancho.dids.store import contents
from sancho.kit.db import Connection
from tests.dids.given import given_collection, given_files
from tests.world import World

FILES, DATASETS, CONTAINERS = 4, 3, 4
ANY = st.integers(0, FILES + DATASETS + CONTAINERS - 1)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["attach", "detach"]), ANY, st.lists(ANY, min_size=1, max_size=4)),
        st.tuples(st.sampled_from(["close", "open"]), ANY, st.just([])),
    ),
    max_size=25,
)


@dataclass
class Model:
    """What the namespace should hold: things are numbered, files first, then datasets, then containers."""

    children: dict[int, set[int]] = field(default_factory=dict[int, set[int]])
    closed: set[int] = field(default_factory=set[int])

    def kind(self, one: int) -> DidKind:
        return DidKind.FILE if one < FILES else DidKind.DATASET if one < FILES + DATASETS else DidKind.CONTAINER

    def inside(self, one: int) -> set[int]:
        return self.children.get(one, set())

    def below(self, one: int) -> set[int]:
        """Everything at any depth, itself included."""
        return {one}.union(*(self.below(child) for child in self.inside(one)))

    def refusal(self, verb: str, parent: int, children: Iterable[int]) -> type[Exception] | None:
        """The error that a step must raise."""
        if self.kind(parent) is DidKind.FILE:
            return NotACollection
        if parent in self.closed:
            return CollectionClosed
        if verb == "detach":
            return None
        if self.kind(parent) is DidKind.CONTAINER and any(parent in self.below(child) for child in children):
            return Cycle
        fits = self.kind(parent).holds
        return None if all(self.kind(child) in fits for child in children) else KindsMismatch

    def files(self, one: int) -> set[int]:
        return {thing for thing in self.below(one) if self.kind(thing) is DidKind.FILE}

    def tallied(self, one: int) -> int:
        """Files, counted once for each dataset at any depth."""
        return sum(len(self.inside(thing)) for thing in self.below(one) if self.kind(thing) is DidKind.DATASET)


async def carry_out(conn: Connection, vo: int, ids: list[int], model: Model, step: tuple[str, int, list[int]]) -> None:
    verb, parent, children = step
    if verb in {"close", "open"}:
        if verb == "close" and model.kind(parent) is not DidKind.FILE:
            assert await service.close(conn, vo, ids[parent]) is (parent not in model.closed)
            model.closed.add(parent)
        elif verb == "open":
            await contents.set_open(conn, vo, ids[parent], is_open=True)
            model.closed.discard(parent)
        return
    child_ids = [ids[child] for child in children]
    change = service.attach if verb == "attach" else service.detach
    if (refusal := model.refusal(verb, parent, children)) is not None:
        with pytest.raises(refusal):
            async with conn.transaction():
                await change(conn, vo, ids[parent], child_ids)
        return
    before = model.inside(parent)
    model.children[parent] = before | set(children) if verb == "attach" else before - set(children)
    assert await change(conn, vo, ids[parent], child_ids) == sorted(ids[one] for one in before ^ model.inside(parent))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
async def test_the_namespace_is_what_its_model_says(
    conn: Connection, world: World, steps: list[tuple[str, int, list[int]]]
) -> None:
    async with conn.transaction(force_rollback=True):
        model, vo = Model(), world.belle
        ids = await given_files(conn, world, *(f"f{n}" for n in range(FILES)))
        ids += [await given_collection(conn, world, f"d{n}") for n in range(DATASETS)]
        ids += [await given_collection(conn, world, f"c{n}", DidKind.CONTAINER) for n in range(CONTAINERS)]
        for step in steps:
            await carry_out(conn, vo, ids, model, step)

        found = await service.by_id(conn, vo, ids)
        for one, did_id in enumerate(ids):
            did = found[did_id]
            if did.kind is not DidKind.FILE:
                assert did.open is (one not in model.closed)
                assert (await service.info(conn, did)).files == model.tallied(one)
                inside = await service.detach(conn, vo, did_id, ids) if did.open else None
                assert inside is None or inside == sorted(ids[child] for child in model.inside(one))
                assert inside is None or await service.attach(conn, vo, did_id, inside, announce=False) == inside
            files = await service.files(conn, vo, [did_id])
            assert [file.did_id for file in files] == sorted(ids[file] for file in model.files(one))
