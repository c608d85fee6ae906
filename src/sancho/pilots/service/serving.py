"""Answers to pilots. Each call is safe to repeat: a pilot that lost an answer asks again."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta

from sancho.jobs import service as jobs
from sancho.jobs.errors import AttemptEnded, InputWithdrawn, OutputUnknown
from sancho.jobs.model import AttemptState, Command, JobState, OpenAttempt, Progress, Reason, Result, Slot, Started
from sancho.kit import faults, telemetry
from sancho.kit.access import NotAPilot, Principal
from sancho.kit.db import Connection, again, narrow
from sancho.kit.deployment import Deployment
from sancho.matching import service as matching
from sancho.matching.model import Choice, Offer, Warm
from sancho.matching.service import Gate, Matcher
from sancho.pilots import plan, store
from sancho.pilots.errors import PilotUnknown
from sancho.pilots.model import PilotState
from sancho.pilots.service.assigning import Assignment, assign, assign_without_files, has_files
from sancho.pilots.store import at_once
from sancho.rses import service as rses
from sancho.rses.errors import RseExpressionEmpty
from sancho.uploads import service as uploads
from sancho.uploads.model import Upload, Wish

_log = telemetry.log(__name__)
_matched = faults.point("pilots.matched")
_finishing = faults.point("pilots.finishing")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a pilot says when it asks for a job: its slot, the attempts it has, whether it heard the last answer.

    `warm` is what it has at hand of the inputs of jobs.
    """

    slot: Slot
    held: Sequence[int]
    answered: bool
    warm: Warm | None = None
    whole: tuple[int, int] | None = None
    """Cores and memory of all of its slot; of one that has no attempt, `slot` says it."""


async def match(deployment: Deployment, matcher: Matcher, caller: Principal, asked: Asked) -> Assignment | None:
    """Give a pilot a job that fits its offer, or None.

    An attempt that it was given but never heard of is given again, and one that it has forgotten is lost; both are
    looked for unless it heard the last answer. When nothing that waits can fit, as far as the matcher is told, the
    database is not asked; when a job can be had without further questions, one exchange with the database gives it,
    which other matches share.
    """
    offer = _offer(matcher, caller, asked) if matcher.followed else None
    choices: Sequence[Choice] | None = None
    if offer is not None and asked.answered and not matcher.board.fitting(offer):
        return None
    if offer is not None and asked.warm is None:
        choices = matching.choose(matcher, offer)
        if not choices and asked.answered:
            return None
        gate = Gate(at_once.LOCK, at_once.GATE, at_once.params(caller.vo, offer.pilot_id, asked.held))
        started = await matching.match_at_once(deployment.database, matcher, offer, choices, caller.vos, gate)
        if started is not None:
            return await _assigned(deployment, started, site_id=offer.site_id, tags=asked.slot.tags)
    async with deployment.database.transaction(caller.vos, plan_once=True) as conn:
        pilot_id, site_id, unfit = await _greet(conn, caller)
        started = None if asked.answered else await _unheard(conn, pilot_id, asked.held)
        if started is None and not unfit:
            known = matcher if matcher.followed else await matching.read(conn)
            if offer is None or known is not matcher:
                offer, choices = _offer(known, caller, asked), None
            if offer is not None and asked.warm is not None:
                offer = await matching.warmed(conn, known, offer, asked.warm)
            started = None if offer is None else await matching.match(conn, known, offer, choices)
            _matched()
        if started is None:
            return None
        try:
            return await assign(conn, deployment, started, site_id=site_id, tags=asked.slot.tags)
        except InputWithdrawn as e:
            await jobs.take_back(conn, started, str(e))
            return None


async def _assigned(
    deployment: Deployment, started: Started, *, site_id: int, tags: Collection[str]
) -> Assignment:  # fmt: skip
    """The assignment of what was matched at once. If we die here, the pilot asks again for what it never heard of."""
    _matched()
    if not has_files(started):
        return assign_without_files(deployment, started, tags)
    async with deployment.database.transaction([started.vo]) as conn:
        return await assign(conn, deployment, started, site_id=site_id, tags=tags)


def _offer(matcher: Matcher, caller: Principal, asked: Asked) -> Offer | None:
    whole = asked.whole or (None if asked.held else (asked.slot.cores, asked.slot.memory))
    return matcher.offer(_ce_id(caller), _pilot_id(caller), caller.vos, asked.slot, whole)


async def _unheard(conn: Connection, pilot_id: int, held: Collection[int]) -> Started | None:
    """Of open attempts that their pilot does not hold: one that it was given but never heard of; others are lost."""
    for vo, attempt_id, _ in await jobs.open_attempts(conn, [pilot_id]):
        if attempt_id in held:
            continue
        attempt = await jobs.find_attempt(conn, vo, attempt_id)
        if attempt is not None and attempt.state is AttemptState.MATCHED:
            return await jobs.find_started(conn, vo, attempt_id)
        await jobs.lose(conn, vo, [attempt_id], reason=Reason.PILOT_LOST, detail="the pilot has forgotten it")
    return None


async def reassign(conn: Connection, deployment: Deployment, caller: Principal, attempt_id: int) -> Assignment:
    """The assignment of an open attempt again, with fresh tokens; raises `AttemptEnded`."""
    attempt = await _own(conn, caller, attempt_id)
    started = await jobs.find_started(conn, attempt.vo, attempt_id)
    return await assign(conn, deployment, started, site_id=attempt.site_id)


@dataclass(frozen=True, kw_only=True)
class Sign:
    """What a pilot says of one payload: `tail` is the last part of its output, `log_size` how much there is."""

    attempt_id: int
    state: str
    tail: str
    log_size: int
    cpu_seconds: float
    memory: int


@dataclass(frozen=True, kw_only=True)
class Heard:
    """The answer to a sign of life: which attempts are still wanted, what to do, and whether somebody reads along."""

    wanted: Mapping[int, bool]
    commands: Sequence[Command] = ()
    watched: bool = False


async def beat(
    conn: Connection, caller: Principal, signs: Sequence[Sign], acknowledged: Sequence[int] = ()
) -> Heard:  # fmt: skip
    """Note a pilot's sign of life, its payloads' progress, and the commands that it has heard.

    Commands are said again with every sign of life until they are acknowledged.
    """
    pilot_id = _pilot_id(caller)
    await store.beat(conn, caller.vo, pilot_id)
    if acknowledged:
        await jobs.acknowledge(conn, pilot_id, acknowledged)
    if not signs:
        return Heard(wanted={})
    alive = {attempt_id: vo for vo, attempt_id, _ in await jobs.open_attempts(conn, [pilot_id])}
    said: dict[int, dict[int, Progress]] = {}
    for sign in signs:
        if (vo := alive.get(sign.attempt_id)) is not None:
            said.setdefault(vo, {})[sign.attempt_id] = Progress(
                attempt_id=sign.attempt_id, tail=sign.tail, log_size=sign.log_size,
                cpu=timedelta(seconds=sign.cpu_seconds), memory=sign.memory,
            )  # fmt: skip
    watched = [await jobs.progress(conn, vo, list(mine.values())) for vo, mine in sorted(said.items())]
    ended = [sign.attempt_id for sign in signs if sign.attempt_id not in alive]
    return Heard(
        wanted={sign.attempt_id: sign.attempt_id in alive for sign in signs},
        commands=await jobs.commands_for_pilot(conn, pilot_id, ended) if ended else (),
        watched=any(watched),
    )


async def begin(conn: Connection, caller: Principal, attempt_id: int) -> None:
    """The payload starts; raises `AttemptEnded`."""
    pilot_id = _pilot_id(caller)
    vo = await jobs.vo_of_attempt(conn, attempt_id, pilot_id=pilot_id)
    with _span("begin", attempt_id, await jobs.traceparent(conn, vo, attempt_id)):
        await jobs.begin(conn, vo, attempt_id, pilot_id=pilot_id)


@dataclass(frozen=True, kw_only=True)
class Made:
    """An output that the payload left: its number in the description, bytes, checksum as 8 hex digits."""

    number: int
    size: int
    adler32: str


async def outputs(
    conn: Connection, deployment: Deployment, caller: Principal, attempt_id: int, made: Sequence[Made]
) -> list[tuple[int, Upload]]:
    """Where a pilot may put the outputs of its attempt: (number, upload), at its site if that has storage."""
    attempt = await _own(conn, caller, attempt_id)
    await jobs.complete(conn, attempt.vo, attempt_id, pilot_id=attempt.pilot_id)
    return await grant_outputs(conn, deployment, attempt, made)


async def grant_outputs(
    conn: Connection, deployment: Deployment, attempt: OpenAttempt, made: Sequence[Made]
) -> list[tuple[int, Upload]]:
    """Where outputs of an attempt may be put; raises `OutputUnknown` for one that its job has not promised."""
    attempt_id = attempt.attempt_id
    spec = await jobs.get_spec(conn, attempt.vo, attempt.job_id)
    promised = {row[0]: row for row in await jobs.promised(conn, attempt)}
    known = await rses.rses(conn)
    distances = await rses.distances_from(conn, attempt.site_id)
    wishes: list[Wish] = []
    for file in made:
        if file.number not in promised:
            raise OutputUnknown(attempt_id=attempt_id, number=file.number)
        _, did, _, _, scope_id, name, dataset_id = promised.pop(file.number)
        rule = spec.description["outputs"][file.number]["rule"]
        wanted = await _wanted(conn, rule["rse_expression"]) if rule else []
        rse = uploads.choose_rse(known, did, wanted=wanted, site_id=attempt.site_id, distances=distances)
        wishes.append(
            Wish(
                scope_id=scope_id, scope=did.partition(":")[0], name=name, size=file.size, adler32=file.adler32,
                rse_id=rse.rse_id, dataset_id=dataset_id, rule=None if dataset_id else rule,
            )
        )  # fmt: skip
    with _span("outputs", attempt_id, spec.traceparent):
        await uploads.give_up_elsewhere(conn, attempt.vo, attempt_id, {r.rse_id for r in known if r.writable})
        intents = await uploads.open_intents(
            conn, attempt.vo, attempt.account_id, wishes, now=deployment.clock.now(), attempt_id=attempt_id
        )
    vo_name = (await store.vo_names(conn, [attempt.vo]))[attempt.vo]
    granted = uploads.grants(
        deployment, vo_name, intents, {r.rse_id: r for r in known}, subject=f"{vo_name}:job:{attempt.job_id}"
    )
    return [(file.number, upload) for file, upload in zip(made, granted, strict=True)]


async def _wanted(conn: Connection, expression: str) -> list[int]:
    """RSEs that an output's rule names; when none is left of those it named at submission, any will do."""
    try:
        return [rse.rse_id for rse in await rses.resolve(conn, expression)]
    except RseExpressionEmpty:
        return []


async def sandbox(
    conn: Connection, deployment: Deployment, caller: Principal, attempt_id: int, *, sha256: bytes, size: int
) -> str | None:
    """A presigned URL for what the payload leaves behind (stdout, stderr, …); None when it is there already."""
    return await jobs.announce_output_sandbox(deployment, conn, await _own(conn, caller, attempt_id), sha256, size)


async def finish(deployment: Deployment, caller: Principal, attempt_id: int, result: Result) -> JobState:
    """End an attempt: its uploads are verified on storage, then everything is committed at once.

    A pilot in which one job fails after the other gets no more. Safe to repeat. Raises `AttemptEnded`,
    `UploadIncomplete`, `StorageAway`, `OutputsDiffer`.
    """
    pilot_id = _pilot_id(caller)
    async with deployment.database.transaction(caller.vos) as conn:
        vo = await jobs.vo_of_attempt(conn, attempt_id, pilot_id=pilot_id)
        intents = await uploads.of_attempt(conn, vo, attempt_id, result.intents)
        known = await rses.by_id(conn, sorted({i.rse_id for i in intents}))
        vo_name = (await store.vo_names(conn, [vo]))[vo]
        trace = await jobs.traceparent(conn, vo, attempt_id)

    async def end() -> JobState:
        async with deployment.database.transaction([vo]) as conn:
            return await jobs.finish(conn, vo, attempt_id, result, pilot_id=pilot_id, checksums=checksums)

    with _span("finish", attempt_id, trace):
        checksums = await uploads.verify(deployment, vo_name, intents, known) if result.reason is None else {}
        _finishing()
        state = await again(end)
        _log.info("attempt ended", attempt_id=attempt_id, job_state=state.word)
    if result.reason is not None:
        async with deployment.database.transaction(caller.vos) as conn:
            await _judge(conn, caller.vo, pilot_id)
    return state


async def _judge(conn: Connection, vo: int, pilot_id: int) -> None:
    if plan.unfit(await store.last_ended(conn, pilot_id)):
        await store.mark_unfit(conn, vo, pilot_id)
        _log.warning("jobs fail one after the other in a pilot; it gets no more", pilot_id=pilot_id)


async def retire(conn: Connection, caller: Principal, reason: str) -> None:
    """A pilot says good-bye; whatever it still has is lost."""
    pilot_id, *_ = await _greet(conn, caller)
    for vo, attempt_id, _ in await jobs.open_attempts(conn, [pilot_id]):
        await jobs.lose(conn, vo, [attempt_id], reason=Reason.PILOT_STOPPED, detail=reason)
    await store.end(conn, caller.vo, [pilot_id], PilotState.DONE, reason)


def _span(name: str, attempt_id: int, trace: str | None) -> AbstractContextManager[None]:
    """What is done for an attempt is part of the trace that submitted its job, whatever the pilot says."""
    return telemetry.span(f"pilots.{name}", traceparent=trace, attempt_id=attempt_id)


def _ce_id(caller: Principal) -> int:
    if caller.ce_id is None:  # its token is of a version that did not say so
        raise PilotUnknown
    return caller.ce_id


def _pilot_id(caller: Principal) -> int:
    if caller.pilot_id is None:
        raise NotAPilot
    return caller.pilot_id


async def _greet(conn: Connection, caller: Principal) -> tuple[int, int, bool]:
    """Lock the pilot that calls: what it asks for is done one after the other.

    Return its id, its site's, and whether jobs would only fail there.
    """
    pilot_id = _pilot_id(caller)
    greeted = await store.greet(conn, caller.vo, pilot_id)
    if greeted is None:
        raise PilotUnknown
    return pilot_id, *greeted


async def _own(conn: Connection, caller: Principal, attempt_id: int) -> OpenAttempt:
    pilot_id = _pilot_id(caller)
    vo = await jobs.vo_of_attempt(conn, attempt_id, pilot_id=pilot_id)
    attempt = await jobs.find_attempt(conn, vo, attempt_id)
    if attempt is None or attempt.pilot_id != pilot_id:
        raise AttemptEnded(attempt_id=attempt_id)
    await narrow(conn, [vo])
    return attempt
