"""Rules, their locks, quotas, usage and transfers."""

from types import NoneType

from sancho_client.call import Call, Pages, body
from sancho_client.models.rules import Lock, Rule, TransferRequest, Usage, Withdrawn
from sancho_client.models.topology import Quota

PAGE = 1000


def create(
    did: str,
    rse_expression: str,
    *,
    copies: int = 1,
    lifetime: float | None = None,
    comment: str | None = None,
) -> Call[Rule]:
    """Ask for copies of a DID on the RSEs that match an expression; `lifetime` in seconds, None for ever."""
    sent = body(did=did, rse_expression=rse_expression, copies=copies, lifetime=lifetime, comment=comment)
    return Call(method="POST", path="/v1/rules", answer=Rule, json=sent)


def list_rules(
    *, did: str | None = None, account: str | None = None, state: str | None = None, limit: int | None = None
) -> Pages[Rule]:
    """The rules of the VO."""
    query = {"did": did, "account": account, "state": state}
    return Pages(path="/v1/rules", item=Rule, query=query, page_size=PAGE, limit=limit)


def show(rule_id: int) -> Call[Rule]:
    """One rule."""
    return Call(method="GET", path=f"/v1/rules/{rule_id}", answer=Rule)


def locks(rule_id: int, *, limit: int | None = None) -> Pages[Lock]:
    """The locks of a rule."""
    return Pages(path=f"/v1/rules/{rule_id}/locks", item=Lock, page_size=PAGE, limit=limit)


def change(
    rule_id: int, *, lifetime: float | None = None, forever: bool = False, comment: str | None = None
) -> Call[Rule]:
    """Change how long a rule lives, in seconds from now on or `forever`, and its comment; None: it stays as it is."""
    sent = {**body(lifetime=lifetime, comment=comment), **({"lifetime": None} if forever else {})}
    return Call(method="PATCH", path=f"/v1/rules/{rule_id}", answer=Rule, json=sent)


def delete(rule_id: int) -> Call[None]:
    """Withdraw a rule; what nothing else holds is deleted from storage later."""
    return Call(method="DELETE", path=f"/v1/rules/{rule_id}", answer=NoneType)


def withdraw(did: str) -> Call[Withdrawn]:
    """Give up a DID: the caller's rules on it go, and those that came with the caller's uploads on files in it."""
    return Call(method="POST", path="/v1/rules/withdraw", answer=Withdrawn, json=body(did=did))


def quotas(account: str | None = None) -> Pages[Quota]:
    """The quotas of the VO, or those that apply to an account."""
    return Pages(path="/v1/quotas", item=Quota, query={"account": account}, page_size=PAGE)


def usage(account: str | None = None) -> Pages[Usage]:
    """Bytes locked, by account and RSE."""
    return Pages(path="/v1/usage", item=Usage, query={"account": account}, page_size=PAGE)


def transfers(*, state: str | None = None, rse: str | None = None, limit: int | None = None) -> Pages[TransferRequest]:
    """The transfer requests of the VO, oldest first."""
    query = {"state": state, "rse": rse}
    return Pages(path="/v1/transfers", item=TransferRequest, query=query, page_size=PAGE, limit=limit)
