"""Why a job does not run: what is known of it is gathered here."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from sancho.explain.model import Explanation
from sancho.explain.plan import jobs as plan
from sancho.explain.plan.copies import Copied
from sancho.explain.plan.jobs import FullLimit, InputsSeen, JobSeen, MissingFile, Pilots, Turn
from sancho.explain.service.starting import expected
from sancho.explain.service.topology import Topology, read_topology
from sancho.explain.store import jobs as store
from sancho.jobs import service as jobs
from sancho.jobs.errors import JobNotFound
from sancho.jobs.model import JobState, Slot, lacks
from sancho.kit.access import INSTANCE, Principal
from sancho.kit.db import Connection, serving
from sancho.matching import service as matching
from sancho.matching.model import PATIENCE, Looked, Offer, Queue
from sancho.matching.service import Matcher
from sancho.replicas.model import ReplicaState
from sancho.rules import service as rules

OWNERS_COUNTED = 10_000
"""Owners before one that are counted."""
PLACES_ASKED = 3
"""CEs of which it is asked whose turn it is: the most patient of them counts."""


async def explain_job(conn: Connection, caller: Principal, matcher: Matcher, job_id: int) -> Explanation:
    """Say why a job of the caller's VO does not run, what would start it, and when it may; raises `JobNotFound`."""
    vo = caller.vo
    spec = await jobs.get_spec(conn, vo, job_id)
    facts = await store.job_facts(conn, vo, job_id)
    looked = None if facts is None else await matching.look(conn, (vo, facts.task_queue_id))
    if facts is None or looked is None:
        raise JobNotFound(job_id=job_id)
    now = datetime.now(UTC)
    known = await read_topology(conn)
    waits = spec.state in (JobState.PENDING, JobState.WAITING)
    after = await jobs.awaited(conn, vo, job_id)
    # A job that waits for others is pending, however its inputs are.
    inputs, complete = await _inputs(conn, vo, looked, JobState.WAITING if after.open else spec.state)
    places = _places(looked, known, now) if waits else {}
    able = [ce_id for ce_id, (slot, near) in places.items() if _fits(looked, slot, near=near)]
    ahead = await _turn(conn, matcher, looked, able, job_id) if spec.state is JobState.WAITING and complete else None
    seen = JobSeen(
        job_id=job_id, state=spec.state, account=spec.account, suspended=facts.suspended, attempts=spec.attempts,
        max_attempts=spec.description["max_attempts"], detail=facts.detail, site=facts.site,
        ways=looked.queue.ways, places=tuple(places.values()), sites=known.names, complete=complete,
        inputs=inputs, after=after, sizes=_sizes(looked, known), anywhere_from=_anywhere_from(looked),
        pilots=await _pilots(conn, vo, known, able), turn=ahead, limits=await _limits(conn, looked) if waits else (),
        ranks={known.ces[ce_id].name: found for ce_id, found in looked.ranks.items() if ce_id in known.ces},
        full_quotas=await _full_quotas(conn, vo, spec.account_id) if waits and spec.description["outputs"] else (),
    )  # fmt: skip
    found = await asyncio.to_thread(plan.explain, seen)
    return replace(found, start=await expected(conn, looked, seen, found.blockers, now)) if waits else found


def _fits(looked: Looked, slot: Slot, *, near: bool) -> bool:
    return any((near or way.far) and not lacks(way, slot) for way in looked.queue.ways)


def _places(looked: Looked, known: Topology, now: datetime) -> dict[int, tuple[Slot, bool]]:
    """The slot of each CE, and whether the job may run at its site as far as its inputs go; by the CE's id."""
    return {
        ce_id: (known.slot(ce_id, slot), looked.near(site_id, now))
        for ce_id, (site_id, slot) in sorted(looked.slots.items())
        if ce_id in known.ces and slot.site in known.names
    }


def _sizes(looked: Looked, known: Topology) -> dict[str, int]:
    sizes = {} if looked.inputs is None else looked.inputs.site_sizes
    return {known.names[str(site_id)]: size for site_id, size in sizes.items() if str(site_id) in known.names}


def _anywhere_from(looked: Looked) -> datetime | None:
    return looked.inputs.since + PATIENCE if looked.inputs is not None and looked.inputs.since is not None else None


async def _inputs(conn: Connection, vo: int, looked: Looked, state: JobState) -> tuple[InputsSeen | None, bool]:
    """How the inputs are, and whether the job may be matched as far as they go."""
    set_id = looked.queue.input_set_id
    found = None if set_id is None else await store.input_facts(conn, vo, set_id)
    if set_id is None or found is None:
        return None, state is not JobState.PENDING
    complete = looked.complete and state is not JobState.PENDING
    missing: Sequence[MissingFile] = ()
    would_do: Sequence[str] = ()
    if found.missing and not complete:
        missing = [
            MissingFile(
                did, tuple(f"{rse} has it, {ReplicaState(letter).word}" for rse, letter in replicas), tuple(transfers)
            )
            for did, replicas, transfers in await store.missing_files(conn, vo, set_id)
        ]  # fmt: skip
        would_do = await store.rses_with_all_missing(conn, vo, set_id)
    return InputsSeen(
        obstacle=found.detail, files=found.files, size=found.size, missing=0 if complete else found.missing,
        some_missing=tuple(missing), would_do=tuple(would_do),
        kept=await _kept(conn, vo, set_id), copied=await _copied(conn, vo, set_id),
        there=found.files - found.missing, least=found.least, on_tape=found.on_tape,
    ), complete  # fmt: skip


async def _kept(conn: Connection, vo: int, set_id: int) -> tuple[str, ...]:
    """By which rules what a job wants is pinned, and for how many jobs."""
    names = await store.input_names(conn, vo, set_id, store.TOLD)
    return tuple(
        f"{names[did_id]}: pinned by rule {one.rule_id} for {one.waiting} waiting and {one.running} running jobs"
        for did_id, one in sorted((await rules.wanted(conn, vo, list(names))).items())
        if one.rule_id is not None
    )


async def _copied(conn: Connection, vo: int, set_id: int) -> tuple[Copied, ...]:
    """What is copied of a job's inputs to where it can run."""
    names = await store.input_names(conn, vo, set_id, store.TOLD)
    return tuple(
        Copied(names[one.did_id], one.rse, one.there, one.size, one.rule_id)
        for one in await rules.copying(conn, vo, list(names))
    )


async def _turn(conn: Connection, matcher: Matcher, looked: Looked, ce_ids: Sequence[int], job_id: int) -> Turn | None:
    """Who goes before a job where it would come soonest, by the board that matches are made from."""
    vo, queue_id = looked.queue.key
    board = (matcher if matcher.followed else await matching.read(conn)).board
    found: list[tuple[int, bool]] = []
    for ce_id in ce_ids[:PLACES_ASKED]:
        site_id, slot = looked.slots[ce_id]
        offer = Offer(pilot_id=0, site_id=site_id, vos=(vo,), slot=slot)
        for place, choice in enumerate(board.choose(offer, most=OWNERS_COUNTED)):
            if choice.queue.owner == looked.queue.owner:
                found.append((place, choice.queue.priority > looked.queue.priority))
                break
    if not found:
        return None
    owners, own_first = min(found)
    before = await store.jobs_before(conn, vo, queue_id, job_id)
    more = before > store.COUNTED
    return Turn(
        owners,
        own_first,
        min(before, store.COUNTED),
        more=more,
        own_jobs=_own_jobs(board.queues.values(), looked.queue),
    )


def _own_jobs(queues: Iterable[Queue], own: Queue) -> int:
    """How many jobs of the same owner wait with a higher priority."""
    return sum(queue.waiting for queue in queues if queue.owner == own.owner and queue.priority > own.priority)


async def _pilots(conn: Connection, vo: int, known: Topology, ce_ids: Sequence[int]) -> dict[str, Pilots]:
    """Pilots of some CEs, by the CE's name.

    Those of shared CEs are the VO `instance`'s, which is served for this look: how many there are is no secret to a VO
    that may use the CE, whose jobs they run is.
    """
    if not ce_ids:
        return {}
    async with serving(conn, [vo, INSTANCE]):
        found = await store.pilots_of_ces(conn, vo, ce_ids)
    return {known.ces[ce_id].name: Pilots(*numbers) for ce_id, numbers in found.items()}


async def _limits(conn: Connection, looked: Looked) -> tuple[FullLimit, ...]:
    return tuple(
        FullLimit(limit.key[1], limit.most, None if limit.site_id is None else str(limit.site_id))
        for limit in await matching.full_limits(conn, looked.queue.label)
    )


async def _full_quotas(conn: Connection, vo: int, account_id: int) -> tuple[str, ...]:
    found = await rules.list_quotas(conn, vo, account_id, page=("", 100))
    return tuple(f"quota {quota.name} on {quota.rse_expression}" for quota in found if quota.room <= quota.over)
