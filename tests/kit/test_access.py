"""What a token may do with what its account owns."""

import pytest

from sancho.kit.access import NotYours, Principal, TokenTooNarrow, require_owner


def _alice(limit: frozenset[str] | None) -> Principal:
    nothing: frozenset[str] = frozenset()
    return Principal(vo=1, vo_name="belle", account_id=7, account="alice", permissions=nothing, vos=(1,), limit=limit)


def test_a_token_that_was_narrowed_to_something_else_does_not_act_on_what_its_account_owns() -> None:
    for_jobs, for_rules = _alice(frozenset({"jobs:create"})), _alice(frozenset({"jobs:create", "rules:manage"}))

    with pytest.raises(TokenTooNarrow, match="Rule 1 is yours, but your token is not for rules:manage"):
        require_owner(for_jobs, 7, "rules:manage", what="Rule 1", owner="alice")
    for may in (for_rules, _alice(None)):
        require_owner(may, 7, "rules:manage", what="Rule 1", owner="alice")
    with pytest.raises(NotYours):
        require_owner(for_rules, 8, "rules:manage", what="Rule 1", owner="bob")
