"""Submit: one call, any number of jobs, all of them or none."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

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
    Requirement,
    RuleWish,
    Submission,
    slot_of,
)
from sancho.jobs.model.sandboxes import TAR_GZ
from sancho.jobs.service.inputs import resolve
from sancho.jobs.service.promises import promise
from sancho.jobs.service.shared import check_number
from sancho.jobs.store import inputs, ranges, sandboxes, shared, submitting
from sancho.kit import faults, telemetry
from sancho.kit.access import Principal, require
from sancho.kit.db import Connection
from sancho.kit.tasks import defer
from sancho.rses import service as rses
from sancho.rules import service as rules
from sancho.rules.errors import TooFewRses
from sancho.rules.model import RuleTerms
from sancho.sharing import service as sharing
from sancho.sites import service as sites
from sancho.vos import service as vos

_log = telemetry.log(__name__)
MOSTLY = "More of them may have nothing but their number, and neither inputs nor outputs; or submit them in parts."
_submitted = faults.point("jobs.submitted")


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
    rows = _Rows(parameters, description)
    plan.check_placeholders(description, rows.samples)
    plan.check_tags(description.ways)
    plan.check_outputs(description, rows.samples)
    named = plan.output_names(description, rows.samples)
    require(caller, "jobs:create", on=plan.things(description.ways, named))
    document = submitting.description_document(description)
    digests = rows.digests(document)
    submission_id = await submitting.insert_submission(
        conn, caller.vo, caller.account_id,
        said={
            "jobs": rows.count, "version": await vos.current_version(conn), "key": key, "digest": next(digests),
            "description": document, "traceparent": telemetry.traceparent(),
        },
    )  # fmt: skip
    if submission_id is None:
        return await _repeated(conn, caller, key or "", rows.digests(document))
    able, task_queue_id, input_set_id, ready = await _queue(conn, caller, description, anyway=anyway)
    promises = await _promises(conn, caller, description, named)
    queue = _Queue(caller.account_id, description.priority, task_queue_id, input_set_id, ready)
    job_ids = await _inserted(conn, caller.vo, queue, submission_id, rows)
    await promise(conn, caller.vo, job_ids, promises)
    await _enter(conn, caller.vo, queue, len(job_ids))
    _submitted()
    _log.info("jobs submitted", submission_id=submission_id, jobs=len(job_ids))
    return _answer(submission_id, job_ids, sites=able)


async def submit_all(
    conn: Connection, caller: Principal, wanted: Sequence[tuple[Description, Sequence[Mapping[str, Any]]]]
) -> list[list[int]]:
    """Submit several descriptions as `submit` does, or none of them; the ids of the jobs of each.

    Those without outputs that need the same of slots, and of data, take no more statements than one. Queues are taken
    in an order that is the same whoever asks.
    """
    alike: dict[str, list[int]] = {}
    for place, (description, _) in enumerate(wanted):
        alike.setdefault(plan.likeness(description), []).append(place)
    found: dict[int, list[int]] = {}
    for _, places in sorted(alike.items()):
        several = [wanted[place] for place in places]
        if len(several) == 1 or several[0][0].outputs:
            for place, (description, parameters) in zip(places, several, strict=True):
                found[place] = (await submit(conn, caller, description, parameters)).job_ids
        else:
            found |= zip(places, await _submit_alike(conn, caller, several), strict=True)
    return [found[place] for place in range(len(wanted))]


async def _submit_alike(
    conn: Connection, caller: Principal, wanted: Sequence[tuple[Description, Sequence[Mapping[str, Any]]]]
) -> list[list[int]]:
    """Submit descriptions of one `plan.likeness`, without outputs."""
    rows = [_Rows(parameters, description) for description, parameters in wanted]
    for (description, _), own in zip(wanted, rows, strict=True):
        plan.check_placeholders(description, own.samples)
    alike = wanted[0][0]
    plan.check_tags(alike.ways)
    require(caller, "jobs:create", on=plan.things(alike.ways, []))
    documents = [submitting.description_document(description) for description, _ in wanted]
    submission_ids = await submitting.insert_submissions(
        conn, caller.vo, caller.account_id,
        said={"version": await vos.current_version(conn), "traceparent": telemetry.traceparent()},
        each=[(own.count, said, next(own.digests(said))) for said, own in zip(documents, rows, strict=True)],
    )  # fmt: skip
    _, task_queue_id, input_set_id, ready = await _queue(conn, caller, alike, anyway=False)
    queue = _Queue(caller.account_id, alike.priority, task_queue_id, input_set_id, ready)
    parameters = {submission_id: own.texts for submission_id, own in zip(submission_ids, rows, strict=True)}
    job_ids = await submitting.insert_jobs(conn, caller.vo, said=queue.said, parameters=parameters)
    await _enter(conn, caller.vo, queue, len(job_ids))
    _submitted()
    _log.info("jobs submitted", submissions=len(rows), first=submission_ids[0], jobs=len(job_ids))
    left = iter(job_ids)
    return [list(islice(left, own.count)) for own in rows]


@dataclass(frozen=True)
class _Queue:
    """Where new jobs wait, and for what."""

    account_id: int
    priority: int
    task_queue_id: int
    input_set_id: int | None
    ready: bool

    @property
    def said(self) -> dict[str, Any]:
        """The same for the rows of jobs."""
        return {
            "account_id": self.account_id, "task_queue_id": self.task_queue_id, "input_set_id": self.input_set_id,
            "priority": self.priority, "state": JobState.WAITING if self.ready else JobState.PENDING,
        }  # fmt: skip


class _Rows:
    """The parameters of jobs: a row for each, or how many there are."""

    def __init__(self, said: Sequence[Mapping[str, Any]] | int, description: Description) -> None:
        self.count = said if isinstance(said, int) else len(said)
        self.late = isinstance(said, int) and said > LATE and not description.inputs and not description.outputs
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
            yield plan.submission_digest(document, self.texts)


async def _inserted(conn: Connection, vo: int, queue: _Queue, submission_id: int, rows: _Rows) -> Sequence[int]:
    said = queue.said | {"submission_id": submission_id}
    first_id = await ranges.insert(conn, vo, rows.count, said=said) if rows.late else None
    if first_id is not None:
        return range(first_id, first_id + rows.count)
    if rows.count > MAX_ROWS:
        raise RangesNotYet
    return await submitting.insert_jobs(conn, vo, said=queue.said, parameters={submission_id: rows.texts})


async def _enter(conn: Connection, vo: int, queue: _Queue, jobs: int) -> None:
    """Count jobs that wait now, or see to the inputs that others wait for."""
    if queue.ready:
        await submitting.count_waiting(conn, vo, {queue.task_queue_id: jobs})
    elif queue.input_set_id is not None:
        await resolve(conn, vo, queue.input_set_id)
    if queue.input_set_id is not None:
        await defer(conn, "jobs:want", once=f"jobs:want:{vo}", vo=vo)


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


async def _queue(
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
