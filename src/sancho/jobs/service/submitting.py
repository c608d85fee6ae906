"""Submit: one call, any number of jobs, all of them or none."""

import json
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from sancho.dids import service as dids
from sancho.dids.model import parse_did
from sancho.identity import service as identity
from sancho.jobs import plan
from sancho.jobs.errors import KeyUsed, RangesNotYet, SandboxMissing, TooManyJobs
from sancho.jobs.model import (
    LATE,
    MAX_ROWS,
    Description,
    JobState,
    Part,
    Requirement,
    RuleWish,
    Submission,
    slot_of,
)
from sancho.jobs.model.sandboxes import TAR_GZ
from sancho.jobs.plan import edges as plan_edges
from sancho.jobs.service.edges import awaiting, lock_before, wait_as, wait_for
from sancho.jobs.service.inputs import resolve
from sancho.jobs.service.promises import promise
from sancho.jobs.service.retrying import let_in
from sancho.jobs.service.shared import check_number
from sancho.jobs.store import inputs, ranges, sandboxes, shared, submitting
from sancho.kit import faults, telemetry
from sancho.kit.access import Principal, require
from sancho.kit.db import Connection
from sancho.kit.errors import SanchoError
from sancho.kit.tasks import defer
from sancho.rses import service as rses
from sancho.rules import service as rules
from sancho.rules.errors import TooFewRses
from sancho.rules.model import RuleTerms
from sancho.sharing import service as sharing
from sancho.sites import service as sites
from sancho.vos import service as vos

T = TypeVar("T")
_log = telemetry.log(__name__)
MOSTLY = "More of them may have nothing but their number, and neither inputs nor outputs; or submit them in parts."
submitted = faults.point("jobs.submitted")


async def submit(
    conn: Connection, caller: Principal, description: Description, parameters: Sequence[Mapping[str, Any]] | int, *,
    key: str | None = None, anyway: bool = False,
) -> Submission:  # fmt: skip
    """Submit one job for each row of parameters; the same again with the same idempotency key gives the same jobs.

    A number in place of rows means so many jobs that have their `number` alone. If they are more than `LATE`, without
    inputs and outputs, they have no rows until something of their own happens, and may be any number.
    Datasets of outputs are made, and their rules placed, now: what is wrong with them is said at submission. Jobs that
    no CE of the VO can ever run are refused, unless they are to wait `anyway`, or the VO has no CE yet.
    Raises `ParameterMissing`, `TagsMalformed`, `TooManyInputs`, `TooManyOutputs`, `OutputOutside`, `NoSiteCanRun`,
    `SandboxMissing`, `OutputPromisedTwice`, `TooManyJobs`, `RangesNotYet`, `KeyUsed` when the key came with something
    else before, and what `dids`, `rses`, `sites` and `rules` have to say about the names in the description.
    """
    return await submit_part(conn, caller, Part(description=description, parameters=parameters, key=key, anyway=anyway))


async def submit_part(conn: Connection, caller: Principal, part: Part) -> Submission:
    """The same for jobs that may wait for others, or for each other; raises what `submit_all` does, too."""
    try:
        return (await submit_all(conn, caller, [part]))[0]
    except SanchoError as e:
        e.field = e.field and e.field.removeprefix(plan_edges.field(0, ""))
        raise


@dataclass(frozen=True, kw_only=True)
class _Ready:
    """A part with what was found of it: what is to be inserted, or the submission that it was before."""

    part: Part
    place: int
    rows: "Rows"
    named: list[list[tuple[str, str | None]]]
    submission_id: int
    able: int = 0
    task_queue_id: int = 0
    input_set_id: int | None = None
    complete: bool = True
    before: Submission | None = None


async def submit_all(conn: Connection, caller: Principal, parts: Sequence[Part]) -> list[Submission]:
    """Submit several descriptions, all or none; jobs may wait for others, those of the same call among them.

    Raises what `submit` does, `AfterUnfit`, `Circular`, `TooManyEdges`, `JobNotFound` and `BeforeFailed`; fields begin
    with the place of the part, `submissions.0.`.
    """
    waits = plan_edges.waits(parts)
    awaited = {before[0] for _, before, _ in waits if not isinstance(before, int)}
    # Task queues are locked on the way: in an order that all callers have.
    order = sorted(range(len(parts)), key=lambda p: repr(parts[p].description))
    found = {p: await _blaming(p, _prepare(conn, caller, parts[p], p, rows=p in awaited)) for p in order}
    fresh = {p: one for p, one in found.items() if one.before is None}
    await lock_before(
        conn, caller.vo, [one for one in waits if one[0][0] in fresh],
        plan_edges.awaited_ids(parts, fresh),
    )  # fmt: skip
    clones = [old for one in fresh.values() for old in one.part.clones_of]
    waited = await awaiting(conn, caller.vo, clones) if clones else set[int]()
    held = {p for p, one in fresh.items() if one.part.after or not waited.isdisjoint(one.part.clones_of)}
    made = {p: one.before or await _blaming(p, _insert(conn, caller, one, held=p in held)) for p, one in found.items()}
    answers = [made[p] for p in range(len(parts))]
    await wait_for(conn, caller.vo, plan_edges.edges(waits, [one.job_ids for one in answers], fresh))
    if waited:
        again = [pair for p, one in fresh.items() for pair in zip(one.part.clones_of, made[p].job_ids, strict=False)]
        await wait_as(conn, caller.vo, dict(again))
    for p, one in fresh.items():
        await _let_in(conn, caller.vo, one, made[p].job_ids, held=p in held)
    submitted()
    return answers


async def _blaming(place: int, work: Awaitable[T]) -> T:
    """Do it; what is wrong is wrong with the part at this place."""
    try:
        return await work
    except SanchoError as e:
        e.field = e.field and plan_edges.field(place, e.field)
        raise


async def _prepare(conn: Connection, caller: Principal, part: Part, place: int, *, rows: bool) -> _Ready:
    """Check a part, and make its submission, task queue and input set; with `rows`, its jobs get them at once."""
    description, these = part.description, Rows(part, early=rows)
    plan.check_placeholders(description, these.samples)
    plan.check_tags(description.ways)
    plan.check_outputs(description, these.samples)
    named = plan.output_names(description, these.samples)
    require(caller, "jobs:create", on=plan.things(description.ways, named))
    document = submitting.description_document(description)
    digests = these.digests(document)
    submission_id = await submitting.insert_submission(
        conn, caller.vo, caller.account_id,
        said={
            "jobs": these.count, "version": await vos.current_version(conn), "key": part.key, "digest": next(digests),
            "description": document, "traceparent": telemetry.traceparent(),
        },
    )  # fmt: skip
    if submission_id is None:
        before = await _repeated(conn, caller, part.key or "", these.digests(document))
        return _Ready(
            part=part, place=place, rows=these, named=named, submission_id=before.submission_id, before=before
        )
    able, task_queue_id, input_set_id, complete = await make_queue(conn, caller, description, anyway=part.anyway)
    return _Ready(
        part=part, place=place, rows=these, named=named, submission_id=submission_id, able=able,
        task_queue_id=task_queue_id, input_set_id=input_set_id, complete=complete,
    )  # fmt: skip


async def _insert(conn: Connection, caller: Principal, one: _Ready, *, held: bool) -> Submission:
    """Make the jobs of a part, and what they promise."""
    promises = await _promises(conn, caller, one.part.description, one.named)
    said = {
        "account_id": caller.account_id, "submission_id": one.submission_id, "task_queue_id": one.task_queue_id,
        "input_set_id": None if one.complete else one.input_set_id, "priority": one.part.description.priority,
        "state": JobState.WAITING if one.complete and not held else JobState.PENDING,
    }  # fmt: skip
    job_ids = await _inserted(conn, caller.vo, said, one.rows)
    await promise(conn, caller.vo, job_ids, promises)
    _log.info("jobs submitted", submission_id=one.submission_id, jobs=len(job_ids))
    return _answer(one.submission_id, job_ids, sites=one.able)


async def _let_in(conn: Connection, vo: int, one: _Ready, job_ids: Sequence[int], *, held: bool) -> None:
    """Let the new jobs of a part be matched that nothing keeps from it."""
    if not one.complete and one.input_set_id is not None:
        await resolve(conn, vo, one.input_set_id)
    elif held:
        await let_in(conn, vo, job_ids, "waits for no other job")
    else:
        await submitting.count_waiting(conn, vo, {one.task_queue_id: one.rows.count})
    if one.input_set_id is not None:
        await defer(conn, "jobs:want", once=f"jobs:want:{vo}", vo=vo)


class Rows:
    """The parameters of jobs: a row for each, or how many there are."""

    def __init__(self, part: Part, *, early: bool) -> None:
        said, description = part.parameters, part.description
        self.count = part.count
        early = early or bool(part.after or part.clones_of or description.inputs or description.outputs)
        self.late = isinstance(said, int) and said > LATE and not early
        self._with = [*plan_edges.said(part.after), *part.sent_with]
        if self.count > MAX_ROWS and not self.late:
            raise TooManyJobs(count=self.count, limit=MAX_ROWS, hint=MOSTLY)
        self._said = said

    @property
    def samples(self) -> list[dict[str, Any]]:
        """Rows in which there is all that may be missing in one."""
        return plan.rows_with_numbers([{}]) if self.late else self.all

    @property
    def all(self) -> list[dict[str, Any]]:
        """The row of each job."""
        none: Mapping[str, Any] = {}
        return plan.rows_with_numbers([none] * self._said if isinstance(self._said, int) else self._said)

    @property
    def texts(self) -> list[str]:
        """The same as JSON."""
        return [json.dumps(row, sort_keys=True) for row in self.all]

    def digests(self, document: Mapping[str, Any]) -> Iterator[bytes]:
        """What makes the submission the same as another: as it is kept, and as it was kept once."""
        if self.late:
            yield plan.submission_digest(document, [json.dumps({"count": self.count})])
        if self.count <= MAX_ROWS:
            yield plan.submission_digest(document, [*self.texts, *self._with])


async def _inserted(conn: Connection, vo: int, said: Mapping[str, Any], rows: Rows) -> Sequence[int]:
    first_id = await ranges.insert(conn, vo, rows.count, said=said) if rows.late else None
    if first_id is not None:
        return range(first_id, first_id + rows.count)
    if rows.count > MAX_ROWS:
        raise RangesNotYet
    return await submitting.insert_jobs(conn, vo, said=said, parameters={said["submission_id"]: rows.texts})


def _answer(submission_id: int, job_ids: Sequence[int], *, sites: int | None, repeated: bool = False) -> Submission:
    return Submission(
        submission_id=submission_id, job_ids=list(job_ids) if len(job_ids) <= MAX_ROWS else [], count=len(job_ids),
        first=job_ids[0], sites=sites, repeated=repeated,
    )  # fmt: skip


async def _repeated(conn: Connection, caller: Principal, key: str, digests: Iterator[bytes]) -> Submission:
    found = await submitting.find_submission(conn, caller.vo, caller.account_id, key)
    submission_id, sent, job_ids = found if found is not None else (0, None, range(0))
    if sent is None or not any(sent == digest for digest in digests):
        raise KeyUsed(key=key, submission_id=submission_id)
    return _answer(submission_id, job_ids, sites=None, repeated=True)


async def make_queue(
    conn: Connection, caller: Principal, description: Description, *, anyway: bool
) -> tuple[int, int, int | None, bool]:
    """How many sites could run the jobs, their task queue, their input set, and whether the inputs are complete."""
    group = await identity.primary_group(
        conn, caller.vo, caller.account_id, description.group, field="description.group"
    )
    slots = [slot_of(row, patient=True) for row in await submitting.list_slots(conn, caller.vo)]
    ways = [await _by_site_ids(conn, caller.vo, way, n) for n, way in enumerate(description.ways)]
    able = plan.check_feasible(description.ways, slots, anyway=anyway)
    if description.sandbox is not None:
        sha256 = bytes.fromhex(description.sandbox)
        if await sandboxes.hold(conn, caller.vo, sha256, [TAR_GZ]) is None:
            raise SandboxMissing(sha256=description.sandbox)
    input_set_id, ready = None, True
    if description.inputs:
        input_set_id, ready = await _inputs(conn, caller, description.inputs, description.start_with)
    who = {
        "group_id": group.group_id, "account_id": caller.account_id, "type": description.type,
        "priority": description.priority,
    }  # fmt: skip
    task_queue_id = await submitting.make_task_queue(
        conn, caller.vo, plan.queue_digest(who, ways, input_set_id), ways, ids={**who, "input_set_id": input_set_id}
    )
    return able, task_queue_id, input_set_id, ready


async def _by_site_ids(conn: Connection, vo: int, way: Requirement, number: int) -> Requirement:
    """The same with ids for the names of sites: a name may mean another site to another VO."""
    field = f"description.{plan.way_field(number)}"
    found = {
        name: await sites.site_ids(conn, vo, sorted(set(said)), field=f"{field}.{name}")
        for name, said in (("sites", way.sites), ("banned_sites", way.banned_sites))
    }
    return plan.in_order(replace(way, **{name: tuple(map(str, ids.values())) for name, ids in found.items()}))


async def _inputs(
    conn: Connection, caller: Principal, names: Sequence[str], start_with: str | None
) -> tuple[int, bool]:
    """The input set, and whether it is ready."""
    own, others = plan.by_owner(names)
    roots = [d.did_id for d in await dids.resolve(conn, caller.vo, own, field="description.inputs")]
    await check_number(conn, caller.vo, roots)
    for owner, names_there in others.items():
        async with sharing.lent(conn, caller.vo_name, owner, names_there, field="description.inputs") as lent:
            await check_number(conn, lent.vo, [did.did_id for did in lent.dids])
    input_set_id, ready = await inputs.make_input_set(
        conn, caller.vo, plan.input_digest(roots, others, start_with), roots, start_with
    )
    if others:
        await shared.insert(conn, caller.vo, input_set_id, others)
    return input_set_id, ready


async def _promises(
    conn: Connection, caller: Principal, description: Description, named: list[list[tuple[str, str | None]]]
) -> list[list[tuple[int, str, int | None]]]:
    """For each job its outputs as (scope_id, name, dataset_id); makes the datasets and their rules."""
    if not description.outputs:
        return []
    every = len(description.outputs)
    scopes = await dids.scopes_for(
        conn, caller, [did for job in named for did, _ in job], field=lambda n: f"description.outputs.{n % every}.did"
    )
    datasets: dict[str, int] = {}
    for n, output in enumerate(description.outputs):
        for dataset in sorted({job[n][1] or "" for job in named} - {""}):
            made = await dids.ensure_dataset(conn, caller, dataset, field=f"description.outputs.{n}.dataset")
            datasets[dataset] = made.did_id
            await _ask(conn, caller, output.rule, made.did_id, field=f"description.outputs.{n}.rule")
        if output.dataset is None:
            await _ask(conn, caller, output.rule, None, field=f"description.outputs.{n}.rule")
    if description.close_datasets:
        await submitting.insert_closing(conn, caller.vo, list(datasets.values()))
    return [
        [(scopes[scope], name, datasets.get(dataset or ""))
         for n, (did, dataset) in enumerate(job)
         for scope, name in [parse_did(did, field=f"description.outputs.{n}.did")]]
        for job in named
    ]  # fmt: skip


async def _ask(
    conn: Connection, caller: Principal, wish: RuleWish | None, dataset_id: int | None, *, field: str
) -> None:
    """Make the rule of an output over its dataset; without one only see that there can be such a rule."""
    if wish is None:
        return
    terms: RuleTerms = {"copies": wish.copies, "rse_expression": wish.rse_expression, "lifetime": wish.lifetime}
    await rses.resolve(conn, wish.rse_expression, field=f"{field}.rse_expression", vo=caller.vo)
    try:
        if dataset_id is None:
            await rules.check(conn, caller.vo, caller.account_id, **terms)
        else:
            await rules.ensure(conn, caller.vo, caller.account_id, dataset_id, **terms)
    except TooFewRses as e:
        e.field = f"{field}.copies"
        raise
