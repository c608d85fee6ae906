"""Options of Rucio's configuration: pure. Rucio keeps texts, and gives back what they spell."""

import math

TRUE, FALSE = {"true", "yes", "on"}, {"false", "no", "off"}
LONGEST_NUMBER = 40


def typed(said: bool | float | str) -> bool | float | str:
    """What an option is that was said so: a number or a boolean where it spells one, else the text."""
    if not isinstance(said, str):
        return said
    if said.lower() in TRUE | FALSE:
        return said.lower() in TRUE
    if len(said) > LONGEST_NUMBER:
        return said
    try:
        whole = int(said)
    except ValueError:
        pass
    else:
        return whole if abs(whole) < 2**63 else said
    try:
        number = float(said)
    except ValueError:
        return said
    return number if math.isfinite(number) else said
