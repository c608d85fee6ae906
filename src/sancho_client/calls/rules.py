"""Rules, their locks, quotas, usage and transfers."""

from types import NoneType

from sancho_client.call import Call, Lines, Pages, body, segment
from sancho_client.models.rules import Held, Lock, Preview, Rule, RuleEvent, TransferRequest, Usage, UsageOn, Withdrawn
from sancho_client.models.topology import Quota

PAGE = 1000


def create(
    did: str,
    rse_expression: str,
    *,
    copies: int = 1,
    lifetime: float | None = None,
    ask_approval: bool = False,
    **said: str | None,
) -> Call[Rule]:
    """Ask for copies of a DID on the RSEs that match an expression; `lifetime` in seconds, None for ever.

    With `ask_approval` the rule waits until somebody who may has approved it. It may have `comment` and `activity`.
    """
    sent = body(
        did=did, rse_expression=rse_expression, copies=copies, lifetime=lifetime, ask_approval=ask_approval or None,
        **said,
    )  # fmt: skip
    return Call(method="POST", path="/v1/rules", answer=Rule, json=sent)


def preview(did: str, rse_expression: str, *, copies: int = 1) -> Call[Preview]:
    """What would come of a rule: where its copies would be, what is to be copied, what quotas are charged."""
    sent = body(did=did, rse_expression=rse_expression, copies=copies)
    return Call(method="POST", path="/v1/rules/preview", answer=Preview, json=sent, repeatable=True)


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


def change(rule_id: int, *, forever: bool = False, **changes: float | str | bool | None) -> Call[Rule]:
    """Change a rule's `lifetime`, in seconds from now on, or `forever`, `comment`, `activity`, `locked`, `account`.

    What is not named, or None, stays as it is.
    """
    sent = {**body(**changes), **({"lifetime": None} if forever else {})}
    return Call(method="PATCH", path=f"/v1/rules/{rule_id}", answer=Rule, json=sent)


def move(rule_id: int, rse_expression: str, **instead: float | str | None) -> Call[Rule]:
    """Have the copies of a rule elsewhere; the answer is the new rule, the old one goes once that is ok.

    `copies`, `lifetime`, in seconds from now on, `activity` and `comment` stay as they are unless they are said.
    """
    sent = body(rse_expression=rse_expression, **instead)
    return Call(method="POST", path=f"/v1/rules/{rule_id}/move", answer=Rule, json=sent)


def reduce(rule_id: int, copies: int, *, exclude: str | None = None) -> Call[Rule]:
    """Ask for fewer copies, or for none on the RSEs that `exclude` matches."""
    sent = body(copies=copies, exclude=exclude)
    return Call(method="POST", path=f"/v1/rules/{rule_id}/reduce", answer=Rule, json=sent)


def held(rse: str) -> Lines[Held]:
    """What rules hold of datasets on an RSE, rule by rule."""
    return Lines(path=f"/v1/rses/{segment(rse)}/locks", item=Held)


def approve(rule_id: int) -> Call[Rule]:
    """Let a rule that waits for approval be in force."""
    return Call(method="POST", path=f"/v1/rules/{rule_id}/approve", answer=Rule)


def deny(rule_id: int, reason: str | None = None) -> Call[None]:
    """Remove a rule that waits for approval."""
    return Call(method="POST", path=f"/v1/rules/{rule_id}/deny", answer=NoneType, json=body(reason=reason))


def retry(rule_id: int) -> Call[Rule]:
    """Try now what of a rule is stuck."""
    return Call(method="POST", path=f"/v1/rules/{rule_id}/retry", answer=Rule, repeatable=True)


def history(*, rule_id: int | None = None, did: str | None = None, limit: int | None = None) -> Pages[RuleEvent]:
    """What was done to a rule, or to the rules on a DID, oldest first."""
    path = "/v1/rules/history" if rule_id is None else f"/v1/rules/{rule_id}/history"
    return Pages(path=path, item=RuleEvent, query={"did": did}, page_size=PAGE, limit=limit)


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


def usage_history(account: str, rse: str, *, limit: int | None = None) -> Pages[UsageOn]:
    """Bytes that an account locked on an RSE, by day, newest first."""
    path, query = "/v1/usage/history", {"account": account, "rse": rse}
    return Pages(path=path, item=UsageOn, query=query, cursor="before", key="day", page_size=PAGE, limit=limit)


def transfers(*, state: str | None = None, rse: str | None = None, limit: int | None = None) -> Pages[TransferRequest]:
    """The transfer requests of the VO, oldest first."""
    query = {"state": state, "rse": rse}
    return Pages(path="/v1/transfers", item=TransferRequest, query=query, page_size=PAGE, limit=limit)
