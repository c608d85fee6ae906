"""Why things are as they are."""

from sancho_client.call import Call, did_path
from sancho_client.models.explain import Explanation


def job(job_id: int) -> Call[Explanation]:
    """Why a job does not run, and what would start it."""
    return Call(method="GET", path=f"/v1/explain/job/{job_id}", answer=Explanation)


def rule(rule_id: int) -> Call[Explanation]:
    """Why a rule is not ok, and what would make it so."""
    return Call(method="GET", path=f"/v1/explain/rule/{rule_id}", answer=Explanation)


def pilot(pilot_id: int) -> Call[Explanation]:
    """What a pilot offers, and why it gets no job of the VO."""
    return Call(method="GET", path=f"/v1/explain/pilot/{pilot_id}", answer=Explanation)


def file(did: str) -> Call[Explanation]:
    """Where a file can be read, or why it cannot, what holds it, and what becomes of it."""
    return Call(method="GET", path=f"/v1/explain/file/{did_path(did)}", answer=Explanation)
