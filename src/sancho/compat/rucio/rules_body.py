"""Rules that Rucio's clients ask for with the collections they make."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from sancho.compat.rucio.errors import NotForOthers, PartNotServed
from sancho.compat.rucio.rules_wire import RULES_AT_ONCE, RuleIn
from sancho.kit.access import Principal
from sancho.kit.db import Connection
from sancho.rules import service
from sancho.rules.model import RuleRequest


async def put_under(conn: Connection, caller: Principal, wanted: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
    """Make rules, each for a DID and as a client says it, for the caller itself: all or none.

    Raises `PartNotServed` for too many, `RequestValidationError` or `NotForOthers` for the first that will not do, and
    what `rules.service` does.
    """
    if len(wanted) > RULES_AT_ONCE:
        raise PartNotServed(part=f"more than {RULES_AT_ONCE} rules", what="one request")
    asked: list[RuleRequest] = []
    for n, (did, said) in enumerate(wanted):
        scope, _, name = did.partition(":")
        try:
            rule = RuleIn.model_validate({**said, "dids": [{"scope": scope, "name": name}]})
        except ValidationError as e:
            faults = e.errors(include_url=False, include_input=False)
            raise RequestValidationError([{**f, "loc": ("body", "rules", n, *f["loc"])} for f in faults]) from e
        if rule.account not in (None, caller.account):
            raise NotForOthers(account=rule.account or "")
        asked.append(
            RuleRequest(
                did=did, copies=rule.copies, rse_expression=rule.rse_expression, lifetime=rule.lifetime,
                activity=rule.activity or "default", comment=rule.comment,
            )
        )  # fmt: skip
    if asked:
        await service.create_all(conn, caller, asked)
