"""What one may do and why, and the audit log."""

from collections.abc import Mapping

from sancho_client.call import Call, Pages
from sancho_client.models.decisions import Decision, Explanation, Verdict

PAGE = 500


def can(permission: str, *, account: str | None = None, on: str | None = None) -> Call[Explanation]:
    """May an account, by default oneself, use a permission on something, and why."""
    query = {"permission": permission, "account": account, "on": on}
    return Call(method="GET", path="/v1/can", answer=Explanation, query=query)


def audit(wanted: Mapping[str, str | bool | None], *, limit: int | None = None) -> Pages[Decision]:
    """Decisions of the VO, newest first; `wanted`: since, until, account, permission, allowed, on, vo."""
    return Pages(path="/v1/audit", item=Decision, query=dict(wanted), page_size=PAGE, limit=limit)


def verify(head: str | None = None, vo: str | None = None) -> Call[Verdict]:
    """Check the audit log of the VO from its beginning; with `head`, that it still holds that batch.

    Administrators of the installation may name another VO.
    """
    return Call(method="GET", path="/v1/audit/verify", answer=Verdict, query={"head": head, "vo": vo})
