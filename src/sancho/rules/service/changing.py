"""What a rule asks for is changed by whom it belongs to."""

from sancho.kit.access import Principal, require_owner
from sancho.kit.db import Connection
from sancho.kit.policy import did as thing
from sancho.rules.model import Change, Rule
from sancho.rules.service.asking import get
from sancho.rules.store import terms


async def change(conn: Connection, caller: Principal, rule_id: int, change: Change) -> Rule:
    """Change how long a rule lives, or its comment, for its account or whoever has `rules:manage`.

    Raises `RuleNotFound` or `NotYours`.
    """
    rule = await get(conn, caller.vo, rule_id)
    require_owner(
        caller, rule.account_id, "rules:manage", what=f"Rule {rule_id}", owner=rule.account, on=thing(rule.did)
    )
    await terms.change(conn, caller.vo, rule_id, change)
    return await get(conn, caller.vo, rule_id)
