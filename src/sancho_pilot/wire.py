"""The protocol, as far as the pilot needs it: what the server sends, checked and split into work and access.

*Work* is what the machine thinks about, and may be written down. *Access* is
what the steps need to carry it out: command, environment, URLs and tokens. It
stays in memory, and is asked for again when it is lost or too old.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Dict, List, Mapping, Optional, Tuple, cast

from sancho_pilot.model import Input, Output, Product, Report, Slot, Upload, Work


class ProtocolError(ValueError):
    """The server said something that makes no sense; the message names the field."""


SOONEST = 0.2
"""Seconds between two heartbeats, whatever a server wants."""


@dataclass(frozen=True)
class Source:
    """One replica of an input, and the right to read it."""

    rse: str
    url: str
    token: str


@dataclass(frozen=True)
class Target:
    """Where to put an output, and the right to."""

    rse: str
    url: str
    token: str


@dataclass(frozen=True)
class Sandbox:
    """Where the input sandbox is."""

    url: str
    sha256: str
    size: int


@dataclass(frozen=True)
class Access:
    """What is needed to carry out an attempt and must not be written down."""

    command: Tuple[str, ...]
    environment: Mapping[str, str]
    environments: Tuple[str, ...]
    cores: Optional[int]
    sandbox: Optional[Sandbox]
    sources: Tuple[Tuple[Source, ...], ...]
    traceparent: str
    token: str
    """What the payload may show to the server in its own name; empty from a server that gives none."""
    vo: str = ""
    """Whose job it is; empty from a server that does not say, to which nothing is told of what is kept."""


@dataclass(frozen=True)
class BeatAnswer:
    """What a server says to a heartbeat: attempts to kill and given up, commands by number, when the next is to be."""

    kill: Tuple[int, ...]
    ended: Tuple[int, ...]
    commands: Tuple[int, ...]
    beat_every: Optional[float]


class Fields:
    """A JSON object whose fields are taken out one by one, each of the kind it must be; raises `ProtocolError`."""

    def __init__(self, value: Any, where: str) -> None:
        """`where` names the object in messages."""
        if not isinstance(value, dict):
            raise ProtocolError(f"{where} is not an object")
        self._fields: Dict[str, Any] = value
        self._where = where

    def text(self, name: str) -> str:
        """A string that is not empty."""
        value = self._fields.get(name)
        if not isinstance(value, str) or not value:
            raise self._wrong(name, "a string")
        return value

    def optional_text(self, name: str) -> Optional[str]:
        """A string, or None when it is null or missing."""
        return None if self._fields.get(name) is None else self.text(name)

    def integer(self, name: str) -> int:
        """A whole number, not negative."""
        value = self._fields.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise self._wrong(name, "a whole number")
        return value

    def optional_integer(self, name: str) -> Optional[int]:
        """A whole number, or None when it is null or missing."""
        return None if self._fields.get(name) is None else self.integer(name)

    def number(self, name: str) -> float:
        """A number, not negative."""
        value = self._fields.get(name)
        if not isinstance(value, (int, float)) or isinstance(value, bool) or value < 0:
            raise self._wrong(name, "a number")
        return float(value)

    def optional_number(self, name: str) -> Optional[float]:
        """A number, or None when it is null or missing."""
        return None if self._fields.get(name) is None else self.number(name)

    def texts(self, name: str, *, optional: bool = False) -> Tuple[str, ...]:
        """A list of strings."""
        value = self._list(name, optional=optional)
        if not all(isinstance(one, str) for one in value):
            raise self._wrong(name, "a list of strings")
        return tuple(value)

    def mapping(self, name: str, *, optional: bool = False) -> Dict[str, Any]:
        """An object."""
        value = self._fields.get(name)
        if value is None and optional:
            return {}
        if not isinstance(value, dict):
            raise self._wrong(name, "an object")
        return cast("Dict[str, Any]", value)

    def sub(self, name: str) -> Fields:
        """An object, to be taken apart."""
        return Fields(self._fields.get(name), f"{self._where}.{name}")

    def optional_sub(self, name: str) -> Optional[Fields]:
        """An object to be taken apart, or None when it is null or missing."""
        return None if self._fields.get(name) is None else self.sub(name)

    def subs(self, name: str) -> List[Fields]:
        """A list of objects, to be taken apart."""
        return [Fields(one, f"{self._where}.{name}[{i}]") for i, one in enumerate(self._list(name, optional=True))]

    def _list(self, name: str, *, optional: bool) -> List[Any]:
        value = self._fields.get(name)
        if value is None and optional:
            return []
        if not isinstance(value, list):
            raise self._wrong(name, "a list")
        return cast("List[Any]", value)

    def _wrong(self, name: str, kind: str) -> ProtocolError:
        return ProtocolError(f"{self._where}.{name} is not {kind}")


# ------------------------------------------------------------------------------------- what the server says


def assignment(value: Any) -> Tuple[Work, Access]:
    """Take an assignment apart; raises `ProtocolError`."""
    fields = Fields(value, "assignment")
    sandbox = fields.optional_sub("input_sandbox")
    inputs = fields.subs("inputs")
    sources = tuple(tuple(_source(source) for source in one.subs("sources")) for one in inputs)
    work = Work(
        attempt_id=fields.integer("attempt_id"),
        job_id=fields.integer("job_id"),
        number=fields.integer("number"),
        walltime=fields.number("walltime"),
        memory=fields.optional_integer("memory"),
        sandbox=sandbox is not None,
        inputs=tuple(_input(one, len(there)) for one, there in zip(inputs, sources)),
        outputs=tuple(Output(one.integer("number"), one.text("path")) for one in fields.subs("outputs")),
        globs=fields.texts("output_sandbox", optional=True),
        cores=fields.optional_integer("cores") or 1,
    )
    access = Access(
        command=fields.texts("command"),
        environment={key: str(value) for key, value in fields.mapping("environment", optional=True).items()},
        environments=fields.texts("environments", optional=True),
        cores=fields.optional_integer("cores"),
        sandbox=None if sandbox is None else _sandbox(sandbox),
        sources=sources,
        traceparent=fields.optional_text("traceparent") or "",
        token=fields.optional_text("token") or "",
        vo=fields.optional_text("vo") or "",
    )
    if not access.command:
        raise ProtocolError("assignment.command is empty")
    return work, access


def _source(fields: Fields) -> Source:
    return Source(fields.text("rse"), fields.text("url"), fields.text("token"))


def _input(fields: Fields, sources: int) -> Input:
    adler32 = fields.optional_text("adler32")
    return Input(
        did=fields.text("did"),
        name=fields.text("name"),
        size=fields.integer("size"),
        adler32=None if adler32 is None else adler32.lower().rjust(8, "0"),
        sources=sources,
    )


def _sandbox(fields: Fields) -> Sandbox:
    return Sandbox(fields.text("url"), fields.text("sha256").lower(), fields.integer("size"))


def uploads(value: Any) -> Tuple[Tuple[Upload, ...], Dict[int, Target]]:
    """Take the answer to declared outputs apart: what may be uploaded, and for each number where."""
    fields = Fields(value, "uploads").subs("uploads")
    leave = tuple(Upload(one.integer("number"), one.integer("intent_id")) for one in fields)
    targets = (Target(one.text("rse"), one.text("url"), one.text("token")) for one in fields)
    return leave, {upload.number: target for upload, target in zip(leave, targets)}


def beat_answer(value: Any) -> BeatAnswer:
    """Take the answer to a heartbeat apart."""
    fields = Fields(value, "beat")
    commands = fields.subs("commands")
    kill = tuple(one.integer("attempt_id") for one in commands if one.text("command") == "kill")
    numbers = (one.optional_integer("command_id") for one in commands)
    states = fields.mapping("attempts", optional=True)
    ended = tuple(int(one) for one, state in states.items() if state == "ended" and one.isdigit())
    soon = fields.optional_number("beat_every")
    heard = tuple(one for one in numbers if one is not None)
    return BeatAnswer(kill, ended, heard, None if soon is None else max(SOONEST, soon))


# ------------------------------------------------------------------------------------- what the pilot says


def offer(free: Slot, held: Tuple[int, ...], *, answered: bool) -> Dict[str, Any]:
    """Say what is free of the slot, and whether the last answer to this was heard."""
    return {
        "cores": free.cores,
        "memory": free.memory,
        "walltime": int(free.walltime),
        "tags": list(free.tags),
        "held": list(held),
        "answered": answered,
    }


def more(free: Slot, whole: Slot, warm: Tuple[str, Tuple[str, ...]]) -> Dict[str, Any]:
    """Say of what slot it is a part that is free, and which files of a VO are kept; older servers know neither."""
    said: Dict[str, Any] = {}
    if (free.cores, free.memory) != (whole.cores, whole.memory):
        said["whole"] = {"cores": whole.cores, "memory": whole.memory}
    vo, dids = warm
    if vo and dids:
        said["warm"] = {"vo": vo, "dids": list(dids)}
    return said


def outputs(products: Tuple[Product, ...]) -> Dict[str, Any]:
    """Say what is to be uploaded."""
    return {"outputs": [{"number": one.number, "size": one.size, "adler32": one.adler32} for one in products]}


def beat(attempt_id: int, state: str, log: Tuple[str, int], used: Tuple[float, int]) -> Dict[str, Any]:
    """Show that an attempt is alive: `log` is its tail and size, `used` its CPU seconds and memory."""
    return {
        "attempt_id": attempt_id,
        "state": state,
        "at": datetime.now(timezone.utc).isoformat(timespec="milliseconds"),
        "log_size": log[1],
        "tail": log[0],
        "cpu_seconds": used[0],
        "memory": used[1],
    }


def report(said: Report, tail: str, log_size: int) -> Dict[str, Any]:
    """Say how an attempt ended."""
    return {
        "outcome": said.outcome,
        "exit_code": said.exit_code,
        "reason": said.reason,
        "detail": clean(said.detail)[:2000],
        "intents": list(said.intents),
        "usage": {
            "wall_seconds": said.usage.wall,
            "cpu_seconds": said.usage.cpu,
            "max_memory": said.usage.memory,
        },
        "tail": tail,
        "log_size": log_size,
        "sandbox": said.sandbox,
    }


def clean(text: str) -> str:
    """Return text that every database can store: no NUL, no half characters."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")
