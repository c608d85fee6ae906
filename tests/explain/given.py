"""Steps that tests of explanations begin with."""

from sancho.explain import service
from sancho.explain.model import Blocker, Explanation
from sancho.kit.db import Connection
from sancho.matching import service as matching
from sancho.matching.service import Matcher
from tests.jobs.given import user
from tests.world import World


def unfollowed() -> Matcher:
    """A matcher of a process that is not told of news, so that a board is read for each question."""
    return matching.matcher_of(lambda _vo: 1.0)


async def why(conn: Connection, world: World, job_id: int, account: str = "alice") -> Explanation:
    """Why a job of belle's does not run."""
    return await service.explain_job(conn, user(world, account), unfollowed(), job_id)


def only(explanation: Explanation, cause: str) -> Blocker:
    """The one blocker of a kind."""
    (found,) = [blocker for blocker in explanation.blockers if blocker.cause == cause]
    return found


def causes(explanation: Explanation) -> list[str]:
    """What is in the way, in order."""
    return [blocker.cause.value for blocker in explanation.blockers]


def helps(explanation: Explanation) -> list[str]:
    """What would help, in words."""
    return [would.says for would in explanation.would]
