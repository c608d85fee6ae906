"""Who may say something of jobs: their owners, who manages jobs, who reports for pilots, and jobs themselves."""

from collections.abc import Sequence

from sancho.jobs.errors import AttemptEnded, JobNotFound
from sancho.jobs.model import SaidBy
from sancho.jobs.service.ranges import write_members
from sancho.jobs.store import life, parameters
from sancho.kit.access import NotAJob, Principal, require, require_owner
from sancho.kit.db import Connection


async def require_running(conn: Connection, caller: Principal) -> int:
    """Let a job say something of itself while its attempt lasts, and return its number; raises `AttemptEnded`."""
    if caller.job_id is None or caller.attempt_id is None:
        raise NotAJob
    attempt = await life.find_attempt(conn, caller.vo, caller.attempt_id)
    if attempt is None or attempt.job_id != caller.job_id:
        raise AttemptEnded(attempt_id=caller.attempt_id)
    return caller.job_id


async def require_reporter(conn: Connection, caller: Principal, job_ids: Sequence[int], *, field: str) -> SaidBy:
    """Let the caller say something of all of these jobs, and return as whom; one audit entry for each owner.

    Those that have no rows yet get them.

    Raises `JobNotFound`, with the `field` that named it, and what `require_owner` does.
    """
    owners = await parameters.owners(conn, caller.vo, job_ids)
    if missing := sorted(set(job_ids) - owners.keys()):
        await write_members(conn, caller.vo, missing)
        owners |= await parameters.owners(conn, caller.vo, missing)
    if missing := set(job_ids) - owners.keys():
        raise JobNotFound(job_id=min(missing), field=field)
    strangers = {account_id for account_id, _ in owners.values()} - {caller.account_id}
    if strangers and not caller.may("jobs:manage") and caller.may("pilots:report"):
        require(caller, "pilots:report")
        return SaidBy.JOB
    for account_id, name in sorted(set(owners.values())):
        mine = sorted(job_id for job_id, owner in owners.items() if owner[0] == account_id)
        require_owner(
            caller, account_id, "jobs:manage", what=f"Job {mine[0]}", owner=name, on=[f"job:{one}" for one in mine]
        )
    return SaidBy.OWNER
