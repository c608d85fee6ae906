"""Jobs that wait for other jobs."""

import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sancho.dids import service as dids
from sancho.jobs import service
from sancho.jobs.errors import AfterUnfit, BeforeFailed, Circular, JobNotFound, KeyUsed, TooManyEdges
from sancho.jobs.model import After, Edge, JobState, Part, Reason, Result, Retry, When, Which
from sancho.jobs.plan import edges as plan
from sancho.jobs.service import edges
from sancho.kit.db import Connection, execute, fetch_rows, fetch_value
from tests.jobs.given import PLAIN, dataset, started, submitted, taken, user
from tests.jobs.test_again import check_counters, states
from tests.world import World

P, W, H, D, F, K = (JobState(letter) for letter in "PWHDFK")
ONCE = replace(PLAIN, max_attempts=1, retry=Retry(data=0))
ENDED = When.ENDED


def part(name: str, count: int = 1, *after: After, key: str | None = None) -> Part:
    return Part(description=replace(ONCE, name=name), parameters=[{}] * count, after=after, key=key)


async def made(conn: Connection, world: World, *parts: Part) -> list[list[int]]:
    return [one.job_ids for one in await service.submit_all(conn, user(world), parts)]


async def after(conn: Connection, world: World, *what: After, count: int = 1) -> list[int]:
    return (await made(conn, world, part("later", count, *what)))[0]


async def drain(conn: Connection) -> None:
    while await service.follow(conn, 1):
        pass
    assert await fetch_value(conn, "SELECT count(*) FROM job_ended") == 0
    await check_counters(conn)


async def run(conn: Connection, world: World, *, reason: Reason | None = None) -> int:
    """The next job runs to its end."""
    attempt = await started(conn, world)
    await service.finish(conn, 1, attempt.attempt_id, Result(reason=reason), pilot_id=1, checksums={})
    return attempt.job_id


async def detail(conn: Connection, world: World, job_id: int) -> str | None:
    return (await service.get(conn, user(world), job_id)).history[-1].detail


# ---- pure


def naive_doomed(pairs: Sequence[tuple[int, int]], roots: set[int], pending: set[int]) -> set[int]:
    found = roots & pending
    while more := {b for a, b in pairs if a in found and b in pending} - found:
        found |= more
    return found


@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=40),
    st.sets(st.integers(0, 12), max_size=4),
    st.sets(st.integers(0, 12)),
)
def test_what_waits_in_vain_is_all_below_that_still_waits(
    pairs: list[tuple[int, int]], roots: set[int], pending: set[int]
) -> None:
    found = plan.doomed(pairs, dict.fromkeys(roots, -1), pending)
    assert set(found) == naive_doomed(pairs, roots, pending)
    assert all(before == -1 or (before in found and (before, job_id) in pairs) for job_id, before in found.items())


NAMES = "abcd"


@settings(max_examples=50)
@given(st.lists(st.lists(st.sampled_from(NAMES), max_size=3), min_size=4, max_size=4))
def test_circles_of_names_are_found(wanted: list[list[str]]) -> None:
    parts = [
        part(name, 2, *(After(name=one) for one in names)) for name, names in zip(NAMES, wanted, strict=True)
    ]  # fmt: skip
    reached = {name: set(names) for name, names in zip(NAMES, wanted, strict=True)}
    for _ in NAMES:
        reached = {name: there | {far for one in there for far in reached[one]} for name, there in reached.items()}
    if any(name in there for name, there in reached.items()):
        with pytest.raises(Circular) as caught:
            plan.waits(parts)
        assert str(caught.value.field).startswith("submissions.")
    else:
        assert len(plan.waits(parts)) == 4 * sum(len(set(names)) for names in wanted)


def test_jobs_wait_for_the_same_the_previous_or_one_of_a_name() -> None:
    chain = part("chain", 3, After(name="chain", which=Which.PREVIOUS))
    each = part("each", 3, After(name="chain", which=Which.SAME, when=ENDED))
    one = part("one", 2, After(name="each", number=3, job=2), After(job_id=7, when=ENDED), After(job_id=7))
    assert plan.waits([chain, each, one]) == [
        ((0, 1), (0, 0), When.DONE), ((0, 2), (0, 1), When.DONE),
        *(((1, n), (0, n), ENDED) for n in range(3)),
        ((2, 1), (1, 2), When.DONE), ((2, 0), 7, When.DONE), ((2, 1), 7, When.DONE),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("wish", "field", "message"),
    [
        (After(name="nobody"), "after.0.name", "No submission"),
        (After(name="twice"), "after.0.name", "Several submissions"),
        (After(name="three", number=4), "after.0.number", "no job 4"),
        (After(name="three", job=6), "after.0.job", "no job 6"),
        (After(name="three", which=Which.SAME), "after.0.which", "too few"),
    ],
)
def test_what_names_nothing_is_refused(wish: After, field: str, message: str) -> None:
    with pytest.raises(AfterUnfit, match=message) as caught:
        plan.waits([part("later", 5, wish), part("three", 3), part("twice"), part("twice")])
    assert caught.value.field == f"submissions.0.{field}"


def test_a_thousand_that_wait_for_a_thousand_are_too_many() -> None:
    with pytest.raises(TooManyEdges):
        plan.waits([part("a", 1000), part("b", 1000, After(name="a"))])


# ---- on a database


async def test_a_job_waits_until_the_one_before_it_is_done(conn: Connection, world: World) -> None:
    (first,) = (await submitted(conn, world)).job_ids
    (second,) = await after(conn, world, After(job_id=first))
    assert await states(conn, [first, second]) == [W, P]
    shown = await service.get(conn, user(world), second)
    assert shown.reason == f"it waits for job {first} (waiting) to be done"
    assert (shown.after.all, shown.after.open, shown.after.first) == (1, 1, [(first, W, When.DONE)])
    assert (await service.get(conn, user(world), first)).after.waiting_for_it == 1
    assert await run(conn, world) == first
    assert await taken(conn, world) is None
    await drain(conn)
    assert await run(conn, world) == second
    assert (await service.get(conn, user(world), second)).after.open == 0


async def test_jobs_of_one_call_wait_for_each_other(conn: Connection, world: World) -> None:
    chain = part("chain", 3, After(name="chain", which=Which.PREVIOUS))
    merge = part("merge", 1, After(name="chain"))
    ((one, two, three), (last,)) = await made(conn, world, chain, merge)
    for job_id in (one, two, three, last):
        assert await run(conn, world) == job_id
        await drain(conn)
    assert await states(conn, [one, two, three, last]) == [D] * 4


async def test_what_has_ended_already_is_not_waited_for(conn: Connection, world: World) -> None:
    (first, second) = (await submitted(conn, world, ONCE, count=2)).job_ids
    await run(conn, world)
    await run(conn, world, reason=Reason.PAYLOAD_FAILED)
    later = await after(conn, world, After(job_id=first), After(job_id=second, when=ENDED))
    assert await states(conn, later) == [W]
    with pytest.raises(BeforeFailed, match="is failed") as caught:
        await service.submit_part(conn, user(world), part("late", 1, After(job_id=first), After(job_id=second)))
    assert caught.value.field == "after.1"


async def test_a_failure_goes_down_to_all_that_want_it_done(conn: Connection, world: World) -> None:
    parts = [
        part("a"), part("b", 2, After(name="a")), part("c", 1, After(name="b")),
        part("d", 1, After(name="c", when=ENDED)), part("e", 1, After(name="d")),
    ]  # fmt: skip
    (a,), bs, (c,), (d,), (e,) = await made(conn, world, *parts)
    await run(conn, world, reason=Reason.PAYLOAD_FAILED)
    await drain(conn)
    assert await states(conn, [a, *bs, c, d, e]) == [F, F, F, F, W, P]
    assert await detail(conn, world, bs[0]) == f"job {a}, which has to be done first, has failed"
    assert await detail(conn, world, c) in {f"job {b}, which has to be done first, has failed" for b in bs}
    assert await run(conn, world) == d
    await drain(conn)
    assert await run(conn, world) == e


async def test_a_job_that_is_tried_again_has_not_failed(conn: Connection, world: World) -> None:
    (first,) = (await submitted(conn, world, replace(PLAIN, retry=Retry(job=1), max_attempts=2))).job_ids
    (second,) = await after(conn, world, After(job_id=first))
    await run(conn, world, reason=Reason.PAYLOAD_FAILED)
    await drain(conn)
    assert await states(conn, [first, second]) == [W, P]
    await run(conn, world, reason=Reason.PAYLOAD_FAILED)
    await service.reschedule(conn, user(world), [first])
    await drain(conn)
    assert await states(conn, [first, second]) == [W, P]


async def test_what_waits_can_be_held_released_killed_and_put_back(conn: Connection, world: World) -> None:
    (first,) = (await submitted(conn, world, ONCE)).job_ids
    ids = await after(conn, world, After(job_id=first), count=3)
    await service.hold(conn, user(world), ids[:2])
    await service.kill(conn, user(world), [ids[1]])
    await service.kill(conn, user(world), [first])
    await drain(conn)
    assert await states(conn, [first, *ids]) == [K, H, K, F]
    assert await detail(conn, world, ids[2]) == f"job {first}, which has to be done first, was killed"

    assert await service.release(conn, user(world), ids[:1]) == ids[:1]
    assert await states(conn, ids[:1]) == [P]
    await drain(conn)
    assert await states(conn, ids[:1]) == [F]

    await service.reschedule(conn, user(world), [first, *ids])
    await drain(conn)
    assert await states(conn, [first, *ids]) == [W, P, P, P]
    await run(conn, world)
    await drain(conn)
    assert await states(conn, ids) == [W] * 3


async def test_clones_wait_as_their_jobs_do_and_for_each_other(conn: Connection, world: World) -> None:
    (a,), (b,), (c,) = await made(
        conn, world, part("a"), part("b", 1, After(name="a")), part("c", 1, After(name="b", when=ENDED))
    )
    again = [
        Part(description=replace(ONCE, name="b"), parameters=[{}], clones_of=[b]),
        Part(description=replace(ONCE, name="c"), parameters=[{}], clones_of=[c]),
    ]
    (b2,), (c2,) = await made(conn, world, *again)
    waits = await fetch_rows(conn, "SELECT job_id, before_id, wants FROM job_edge ORDER BY 1")
    assert waits == [(b, a, "D"), (c, b, "E"), (b2, a, "D"), (c2, b2, "E")]
    assert await states(conn, [b2, c2]) == [P, P]
    await run(conn, world)
    await drain(conn)
    assert await states(conn, [b, b2, c2]) == [W, W, P]
    (b3,) = (await made(conn, world, replace(again[0], clones_of=[b])))[0]
    assert await states(conn, [b3]) == [W]


async def test_jobs_wait_for_their_inputs_too(conn: Connection, world: World) -> None:
    did_id = await dataset(conn, world, "mc:data", {"A-DISK": [1]})
    (first,) = (await submitted(conn, world)).job_ids
    reads = replace(part("reads", 1, After(job_id=first)), description=replace(PLAIN, inputs=("mc:data",)))
    one, two = [(await made(conn, world, reads))[0][0] for _ in range(2)]
    await dids.close(conn, 1, did_id)
    await service.resolve_all(conn, 1)
    await check_counters(conn)
    assert await states(conn, [one, two]) == [P, P]
    await run(conn, world)
    await drain(conn)
    assert await states(conn, [one, two]) == [W, W]


async def test_what_cannot_be_waited_for_is_refused(conn: Connection, world: World) -> None:
    (theirs,) = (await service.submit(conn, user(world, vo=2), PLAIN, [{}])).job_ids
    for job_id in (theirs, 10**12):
        with pytest.raises(JobNotFound) as caught:
            await made(conn, world, part("a"), part("b", 1, After(name="a"), After(job_id=job_id)))
        assert caught.value.field == "submissions.1.after.1"


async def test_the_same_key_with_the_same_predecessors_submits_once(conn: Connection, world: World) -> None:
    call = (part("a", key="key-of-a"), part("b", 1, After(name="a"), key="key-of-b"))
    first = await made(conn, world, *call)
    assert await made(conn, world, *call) == first
    assert await fetch_value(conn, "SELECT count(*) FROM job_edge") == 1
    with pytest.raises(KeyUsed):
        await made(conn, world, call[0], replace(call[1], after=[After(name="a", when=ENDED)]))


async def test_a_wide_fan_is_worked_off_in_batches_and_nothing_is_lost_between(
    conn: Connection, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edges, "EDGES_AT_ONCE", 7)
    (first, second), fan = await made(
        conn,
        world,
        replace(part("first", 2), description=replace(ONCE, name="first")),
        part("fan", 20, After(name="first")),
    )
    await run(conn, world)
    await execute(conn, "SAVEPOINT before")
    assert await service.follow(conn, 1)
    await execute(conn, "ROLLBACK TO before")
    await run(conn, world)
    assert await service.follow(conn, 1)
    await drain(conn)
    assert await states(conn, fan) == [W] * 20
    assert (await service.get(conn, user(world), fan[0])).after.all == len([first, second])


async def test_an_end_that_an_older_server_did_not_note_is_found(conn: Connection, world: World) -> None:
    (first,) = (await submitted(conn, world)).job_ids
    (second,) = await after(conn, world, After(job_id=first))
    await run(conn, world)
    await execute(conn, "DELETE FROM job_ended")
    assert await service.recall(conn, 1) == 1
    assert await service.recall(conn, 1) == 0
    await drain(conn)
    assert await states(conn, [second]) == [W]


async def test_a_failure_goes_down_a_chain_of_a_thousand_at_once(conn: Connection, world: World) -> None:

    chain = part("chain", 1000, After(name="chain", which=Which.PREVIOUS))
    ids, (last,) = await made(conn, world, chain, part("last", 1, After(name="chain")))
    await service.kill(conn, user(world), ids[:1])
    assert await service.follow(conn, 1)
    assert set(await states(conn, [*ids[1:], last])) == {F}


# ---- against a model


class Model:
    """Jobs and what they wait for, as simple as can be."""

    def __init__(self, waits: Sequence[Edge], job_ids: Sequence[int]) -> None:
        self.edges = list(waits)
        self.met: set[Edge] = set()
        self.state = {job_id: P if self.before(job_id) else W for job_id in job_ids}

    def before(self, job_id: int) -> list[Edge]:
        return [edge for edge in self.edges if edge.job_id == job_id and edge not in self.met]

    def settle(self) -> None:
        changed = True
        while changed:
            was = dict(self.state)
            self.met |= {edge for edge in self.edges if plan.met(edge.when, self.state[edge.before_id])}
            for job_id in [job_id for job_id, state in self.state.items() if state is P]:
                still = self.before(job_id)
                if any(edge.when is When.DONE and self.state[edge.before_id].final for edge in still):
                    self.state[job_id] = F
                elif not still:
                    self.state[job_id] = W
            changed = was != self.state


@pytest.mark.parametrize("seed", range(3))
async def test_random_graphs_go_as_a_simple_model_says(conn: Connection, world: World, seed: int) -> None:
    chance = random.Random(seed)
    await execute(conn, "UPDATE vo SET max_reschedules = 1000")
    count = 14
    wishes = [
        After(name="g", number=before + 1, job=job + 1, when=chance.choice(list(When)))
        for job in range(count)
        for before in chance.sample(range(job), min(job, chance.choice([0, 1, 2, 3])))
    ]
    (ids,) = await made(conn, world, part("g", count, *wishes))
    model = Model(
        [
            Edge(before_id=ids[(w.number or 0) - 1], job_id=ids[(w.job or 0) - 1], when=w.when)
            for w in wishes
        ],
        ids,
    )  # fmt: skip
    for _ in range(12):
        for _ in range(chance.choice([1, 2, 3])):
            some = chance.sample(ids, 2)
            match chance.choice(["done", "done", "failed", "kill", "hold", "release", "again"]):
                case "kill":
                    for job_id in await service.kill(conn, user(world), some):
                        model.state[job_id] = K
                case "hold":
                    for job_id in await service.hold(conn, user(world), some):
                        model.state[job_id] = H
                case "release":
                    for job_id in await service.release(conn, user(world), some):
                        model.state[job_id] = P
                case "again":
                    for job_id in (await service.reschedule_each(conn, user(world), some))[0]:
                        model.state[job_id] = P
                case how if W in model.state.values():
                    job_id = await run(conn, world, reason=Reason.PAYLOAD_FAILED if how == "failed" else None)
                    model.state[job_id] = F if how == "failed" else D
                case _:
                    pass
        await drain(conn)
        model.settle()
        assert dict(zip(ids, await states(conn, ids), strict=True)) == model.state
    assert all(a < b for a, b in pairwise(ids))
