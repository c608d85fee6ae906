"""Which rule a path of Rucio means."""

from typing import Annotated

from fastapi import Depends

from sancho.compat.rucio.caller import RucioCaller
from sancho.compat.rucio.errors import RuleIdMalformed
from sancho.compat.rucio.rules_wire import RuleId
from sancho.compat.rucio.translate import number_of


def _number(rule_id: RuleId, caller: RucioCaller) -> int:  # noqa: ARG001 - it needs a token first
    number = number_of(rule_id)
    if number is None:
        raise RuleIdMalformed(rule_id=rule_id)
    return number


Number = Annotated[int, Depends(_number)]
"""The number of the rule in a path; raises `RuleIdMalformed`."""
