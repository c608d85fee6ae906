"""Parametric JDLs: the values that their jobs differ by, and where these stand in texts. Pure.

    Parameters = {"a", "b"};                  %s is a, then b; %n is 0, then 1
    Parameters = 3; ParameterStart = 5;       %s is 5, 7, 9
        ParameterStep = 2;
        ParameterFactor = 1;                  each is the one before times this, plus the step
    Parameters.Mass = {100, 200};             %(Mass)s, beside others of as many values

A JDL without any is one job, in which %s and %n mean nothing. %j is the number of the job in either.

Our jobs know a parameter by a name in small letters: `s`, `n`, and `s_mass` for %(Mass)s.
"""

import math
import re
from collections.abc import Callable, Mapping
from typing import TypeAlias

from sancho.compat.diracx.errors import JdlUnfit, TooManyJobs
from sancho.compat.diracx.jdl_grammar import MOST_PARTS, Value
from sancho.jobs.model import JOB_ID, MAX_ROWS, PLACEHOLDER
from sancho.kit.units import LARGEST, LONGEST_TEXT

Number: TypeAlias = int | float
Row: TypeAlias = dict[str, Value | Number]
"""What one job has for each parameter."""
LONGEST_FILLED = 100_000
"""Characters of a text with the parameters of a job in it."""
BRACE = "brace"
"""The parameter that stands for a brace: our own placeholders must not be mistaken for what a JDL says."""
KINDS = {"parameters": "Parameters", "parameterstart": "ParameterStart", "parameterstep": "ParameterStep",
         "parameterfactor": "ParameterFactor"}  # fmt: skip
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_FLOAT = re.compile(r"[+-]?(?:[0-9]{1,18}(?:\.[0-9]{0,18})?|\.[0-9]{1,18})(?:[eE][+-]?[0-9]{1,3})?")
_NAME = re.compile(r"[A-Za-z0-9_]{1,50}")
_PLACE = re.compile(r"%\(([A-Za-z0-9_]{1,50})\)s|%([snj])|" + PLACEHOLDER.pattern)


def rows_of(attributes: Mapping[str, tuple[str, Value]]) -> list[Row] | None:
    """The parameters of each job, None for a JDL that is not parametric; `attributes` by their names in small letters.

    Raises `JdlUnfit`, and `TooManyJobs` before any row is made.
    """
    said: dict[str, dict[str, Value]] = {}
    for key, (spelled, value) in attributes.items():
        kind, dot, name = key.partition(".")
        if kind in KINDS:
            if dot and _NAME.fullmatch(name) is None:
                raise JdlUnfit(attribute=spelled[:100], reason="cannot be the name of a parameter")
            said.setdefault(name, {})[kind] = value
    lengths = {name: _length(name, of["parameters"]) for name, of in said.items() if "parameters" in of}
    if not lengths:
        return None
    count = max(lengths.values())
    if count > MAX_ROWS:
        raise TooManyJobs(count=count, limit=MAX_ROWS)
    short = next((name for name, length in lengths.items() if length != count), None)
    if short is not None:
        raise JdlUnfit(
            attribute=_spelled("parameters", short),
            reason=f"has {lengths[short]} values where another has {count}: every parameter needs as many",
        )
    if count * len(said) > MOST_PARTS:
        raise JdlUnfit(attribute="Parameters", reason=f"would have more than {MOST_PARTS} values for all jobs together")
    columns = {_key(name): _values(name, of, count) for name, of in said.items()}
    columns["n"] = list(range(count))
    return [{key: values[n] for key, values in columns.items()} for n in range(count)]


def _spelled(kind: str, name: str) -> str:
    return f"{KINDS[kind]}.{name}" if name else KINDS[kind]


def _key(name: str) -> str:
    return f"s_{name}" if name else "s"


def _length(name: str, value: Value) -> int:
    attribute = _spelled("parameters", name)
    if isinstance(value, dict):
        raise JdlUnfit(attribute=attribute, reason="is neither a number nor a list")
    if isinstance(value, str):
        count = number(attribute, value)
        if not isinstance(count, int):
            raise JdlUnfit(attribute=attribute, reason="is neither a whole number nor a list")
    else:
        count = len(value)
    if count < 1:
        raise JdlUnfit(attribute=attribute, reason="makes no job at all")
    return count


def _values(name: str, of: Mapping[str, Value], count: int) -> list[Value | Number]:
    listed = of.get("parameters")
    if isinstance(listed, list):
        if any(isinstance(one, str) and len(one) > LONGEST_TEXT for one in listed):
            raise JdlUnfit(
                attribute=_spelled("parameters", name), reason=f"has a value of more than {LONGEST_TEXT} characters"
            )
        return list(listed)
    defaults = {"parameterstart": 1, "parameterstep": 0, "parameterfactor": 1}
    start, step, factor = (
        number(_spelled(kind, name), of[kind]) if kind in of else default for kind, default in defaults.items()
    )
    if any(isinstance(one, float) for one in (start, step, factor)):
        start = float(start)
    values: list[Value | Number] = []
    for _ in range(count):
        if abs(start) > LARGEST or not math.isfinite(start):
            raise JdlUnfit(attribute=_spelled("parameterfactor", name), reason="makes values that are too large")
        values.append(start)
        start = start * factor + step
    return values


def number(attribute: str, value: Value) -> Number:
    """The number that an attribute is; raises `JdlUnfit`."""
    text = value.strip() if isinstance(value, str) else ""
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text) and math.isfinite(found := float(text)):
        return found
    raise JdlUnfit(attribute=attribute, reason="is not a number")


def used(value: Value) -> set[str]:
    """The parameters that stand in a value, by our names; that of the job's number is `JOB_ID`."""
    if isinstance(value, str):
        return {_meant(found) for found in _PLACE.finditer(value) if found[3] is None}
    inside = value if isinstance(value, list) else value.values()
    return set[str]().union(*map(used, inside))


def _meant(found: re.Match[str]) -> str:
    if found[1] is not None:
        return _key(found[1].lower())
    return JOB_ID if found[2] == "j" else found[2]


def template(value: Value, row: Mapping[str, object]) -> Value:
    """A value as our jobs take it: placeholders of what `row` has, and of the job's number, become ours.

    A text that looks like a placeholder of ours stays the text that it is, by the parameter `BRACE`.
    """

    def placed(found: re.Match[str]) -> str:
        if found[3] is not None:
            return f"{{{BRACE}}}{found[0][1:]}"
        meant = _meant(found)
        return f"{{{meant}}}" if meant in row or meant == JOB_ID else found[0]

    return _changed(value, lambda text: _PLACE.sub(placed, text))


def filled(attribute: str, value: Value, row: Mapping[str, Value | Number]) -> Value:
    """A value with the parameters of a job in it; a text that is nothing but a parameter becomes what that is.

    Raises `JdlUnfit` for what would grow too long.
    """

    def placed(found: re.Match[str]) -> str:
        if found[3] is not None or (meant := _meant(found)) not in row:
            return found[0]
        one = row[meant]
        return " ".join(map(str, one)) if isinstance(one, list) else str(one)

    def change(text: str) -> Value:
        whole = _PLACE.fullmatch(text)
        if whole is not None and whole[3] is None and isinstance(one := row.get(_meant(whole)), list):
            return one
        more = sum(len(placed(found)) for found in _PLACE.finditer(text))
        if len(text) + more > LONGEST_FILLED + LONGEST_TEXT:
            raise JdlUnfit(attribute=attribute, reason=f"has more than {LONGEST_FILLED} characters with its parameters")
        return _PLACE.sub(placed, text)

    return _changed(value, change)


def _changed(value: Value, change: Callable[[str], Value]) -> Value:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_changed(one, change) for one in value]
    return {name: _changed(one, change) for name, one in value.items()}
