"""Every operation of DiracX's API, and what we make of it."""

from dataclasses import dataclass
from enum import Enum


class Support(Enum):
    """What we make of an operation."""

    SERVED = "served"
    PARTIAL = "partial"
    REFUSED = "refused"


@dataclass(frozen=True)
class Operation:
    """One operation of DiracX 0.7."""

    method: str
    path: str
    support: Support
    note: str = ""
    """What differs, or why it is refused."""


def _operations(support: Support, *said: str) -> list[Operation]:
    found: list[Operation] = []
    for each in said:
        route, _, note = each.partition("  ")
        method, path = route.split(" ")
        found.append(Operation(method, path, support, note))
    return found


NOT_YET = "501: not served yet"
OPERATIONS: tuple[Operation, ...] = (
    *_operations(
        Support.SERVED,
        "GET /.well-known/openid-configuration  The one document of this server; its endpoints are those under /v1.",
        "GET /.well-known/jwks.json",
        "GET /.well-known/dirac-metadata  Every VO but `instance`; its default group is the oldest.",
        "GET /.well-known/security.txt  A JSON string for clients that ask for JSON, else text as RFC 9116 wants it; "
        "404 when no contact is set.",
        "POST /api/auth/device",
        "GET /api/auth/device  Leads to the login page of this server, where people may use a password as well.",
        "GET /api/auth/device/complete/finished",
        "GET /api/auth/authorize  Leads to the login page of this server.",
        "POST /api/auth/token  A device that asks too often is told to wait like any other.",
        "POST /api/auth/revoke",
        "GET /api/auth/userinfo  Properties are those that the permissions of the token amount to; policies are none.",
        "GET /api/rss/storage  To check what is there is to read.",
        "GET /api/rss/compute",
        "GET /api/rss/site",
        "POST /api/jobs/search  Jobs of the VO of the token alone; unsorted, the newest come first. A search or count "
        "that takes longer than 10 s is given up with 400.",
        "POST /api/jobs/summary  Jobs of the VO of the token alone.",
        "POST /api/jobs/sandbox  The form goes to this server, which passes it on to the object store; the same "
        "content is kept once in a VO.",
        "GET /api/jobs/sandbox  Who manages jobs may fetch those of others in the VO.",
        "GET /api/jobs/{job_id}/sandbox  What an attempt has left is the output, a tar.gz, until another is given.",
        "GET /api/jobs/{job_id}/sandbox/{sandbox_type}",
        "PATCH /api/jobs/{job_id}/sandbox/output",
        "DELETE /api/jobs/{job_id}/sandbox  A job that has not ended can still be run with its input.",
        "POST /api/jobs/sandbox/unassign",
        "POST /api/pilots/  An entry for a pilot that another factory manages, beside those that this server makes: no "
        "job is given for it. A stamp that a pilot has already is refused with 409.",
        "PATCH /api/pilots/metadata  All or none: 404 for a stamp that is not known, 409 for a pilot of this server's.",
        "POST /api/pilots/search  Pilots of the VO of the token, and of this server at CEs that it may use; unsorted, "
        "the newest come first.",
        "POST /api/pilots/summary",
        "GET /api/health/live",
        "GET /api/health/ready",
        "GET /api/health/startup",
    ),
    *_operations(
        Support.PARTIAL,
        "GET /api/auth/device/complete  No provider sends browsers here, but to /v1/auth/callback/VO/NAME.",
        "GET /api/auth/authorize/complete  No provider sends browsers here, but to /v1/auth/callback/VO/NAME.",
        "GET /api/auth/refresh-tokens  One row a login, which is one family of refresh tokens; those that were revoked "
        "are not listed.",
        "GET /api/config/  Tells of the caller's VO alone, and of the sites, CEs and RSEs that it may use; subjects "
        "are names of accounts; neither addresses nor names in certificates are told.",
        "GET /api/rss/fts  Always empty: transfers are carried by workers of this server.",
        "DELETE /api/auth/refresh-tokens/{jti}  Ends the login, its access tokens too; 404 for one of somebody else.",
        "PATCH /api/jobs/metadata  A site is set by the match: another than that is refused. At most 200 parameters a "
        "job and 10 000 a call.",
        "PATCH /api/jobs/status  Jobs of the VO of the token alone. Minor and application status are set; a state "
        "moves only jobs that none of our own pilots runs, or kills; Deleted kills, and deletes nothing; other "
        "states are kept in LoggingInfo. At most 10 000 updates a call, and clocks may be ahead by a minute.",
        "PATCH /api/jobs/heartbeat  Jobs of the VO of the token alone; the last one of each job is kept.",
        "GET /api/auth/legacy-exchange  A key is good for the VO it was given for; access tokens only, which live "
        "`expires_minutes`, at most a week.",
        "POST /api/jobs/reschedule  Jobs that wait, are held, have failed or were killed; others are among `failed`; "
        "400 when there are no others. `reset_jobs` is for JobAdministrator.",
        "POST /api/jobs/jdl  10 000 jobs at once instead of 20, of at most 500 different descriptions; all or none. "
        "JDL is read as [JDL](jdl.md) says: what cannot be served is refused, with line and column, or the attribute.",
    ),
    *_operations(
        Support.REFUSED,
        *(
            f"{route}  {NOT_YET}"
            for route in (
            )
        ),
    ),
)  # fmt: skip
"""All 42 operations of DiracX 0.7, the four hidden ones among them."""
