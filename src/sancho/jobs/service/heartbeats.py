"""Signs of life of jobs, and the commands that answer them: delivered again and again until they are acknowledged."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from sancho.jobs.model import TAIL, Command, Heartbeat
from sancho.jobs.service.reporting import require_reporter
from sancho.jobs.store import commands, heartbeats, takings
from sancho.kit.access import Principal
from sancho.kit.db import Connection

COMMAND_LIFETIME = timedelta(days=7)
"""For how long a command waits for whoever it is for: no attempt that was told to end lives as long."""
HEARD = timedelta(minutes=1)
"""So soon whoever is told to end a job has ended it, and gives no sign of life for it."""
UNACKNOWLEDGED = 0
"""The number of a command that is told without being kept."""
FORGOTTEN = 10_000
"""Old commands that are forgotten at once."""


async def beat(
    conn: Connection, caller: Principal, beats: Sequence[Heartbeat], acknowledged: Sequence[int] = ()
) -> list[Command]:
    """Note signs of life, at most one a job, and commands that were heard; return those that were not yet.

    Whoever was given up is told to end as well, with number 0, as often as they give a sign, and the sign counts for
    nothing. For owners, who manages jobs, and who reports for pilots. Raises `JobNotFound` and `NotYours`.
    """
    ids, strays = await _note(conn, caller, beats)
    if acknowledged:
        await commands.acknowledge(conn, caller.vo, acknowledged, ids)
    return [*await commands.of_jobs(conn, caller.vo, ids), *strays]


async def beat_once(conn: Connection, caller: Principal, beats: Sequence[Heartbeat]) -> list[Command]:
    """The same for clients that acknowledge nothing: a command is told, and again when signs go on after `HEARD`.

    Whoever has heard it gives none by then, and an answer may have been lost.
    """
    ids, strays = await _note(conn, caller, beats)
    return [*await commands.say_again(conn, caller.vo, ids, HEARD), *strays]


async def _note(conn: Connection, caller: Principal, beats: Sequence[Heartbeat]) -> tuple[list[int], list[Command]]:
    """Note the signs of those who run their jobs; return these jobs, and what all others are told."""
    await require_reporter(conn, caller, [one.job_id for one in beats], field="beats")
    given_up = await takings.given_up(conn, caller.vo, [one.job_id for one in beats], caller.account_id)
    alive = [_cleaned(one) for one in beats if one.job_id not in given_up]
    ids = [one.job_id for one in alive]
    await heartbeats.run_matched(conn, caller.vo, ids)
    await heartbeats.put(conn, caller.vo, alive)
    return ids, [Command(command_id=UNACKNOWLEDGED, job_id=job_id) for job_id in sorted(given_up)]


async def beat_own(conn: Connection, vo: int, beats: Sequence[Heartbeat]) -> None:
    """Note signs of life of jobs, at most one each, for whoever has shown that they are theirs."""
    await heartbeats.put(conn, vo, [_cleaned(one) for one in beats])


async def own_tail(conn: Connection, vo: int, job_id: int) -> str | None:
    """The last part of what a job said itself that it prints; None when it never did."""
    return await heartbeats.tail(conn, vo, job_id)


async def commands_for_pilot(conn: Connection, pilot_id: int, attempt_ids: Sequence[int]) -> list[Command]:
    """What a pilot is told about attempts of its own, in any served VO, and has not acknowledged."""
    return await commands.for_pilot(conn, pilot_id, attempt_ids)


async def acknowledge(conn: Connection, pilot_id: int, command_ids: Sequence[int]) -> None:
    """A pilot has heard commands; those for attempts of others stay open."""
    await commands.acknowledge_by_pilot(conn, pilot_id, command_ids)


async def forget_commands(conn: Connection, vo: int) -> int:
    """Forget old commands, some at a time; return how many."""
    return await commands.forget(conn, vo, COMMAND_LIFETIME, FORGOTTEN)


def _cleaned(sign: Heartbeat) -> Heartbeat:
    if sign.tail is None or len(sign.tail) <= TAIL:
        return sign
    return replace(sign, tail=sign.tail[-TAIL:])
