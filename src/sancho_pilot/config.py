"""The pilot's configuration: one JSON file, written by whoever starts it. It holds no secret, only where one is."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Any, Dict, Mapping, Optional, Tuple

from sancho_pilot.model import Slot
from sancho_pilot.wire import Fields, ProtocolError

ENVIRONMENT_TAG = "env:"


class BadConfiguration(Exception):
    """The pilot cannot start: the configuration is wrong; the message says where."""


@dataclass(frozen=True)
class Environment:
    """Software that the site offers: what comes first in PATH, and further variables."""

    path: Tuple[str, ...]
    variables: Mapping[str, str]


@dataclass(frozen=True)
class Config:
    """Everything a pilot is told at its start."""

    url: str
    ca_file: Optional[str]
    stamp: str
    secret_file: str
    workdir: str
    slot: Slot
    environments: Mapping[str, Environment]
    site: str


def load(path: str) -> Config:
    """Read a configuration; raises `BadConfiguration`."""
    try:
        with open(path, "rb") as file:
            read = json.loads(file.read().decode())
        return _parse(Fields(read, "the configuration"))
    except (OSError, ValueError, ProtocolError) as problem:
        raise BadConfiguration(f"{path}: {problem}") from problem


def read_secret(path: str) -> str:
    """Read the first secret, from a file that nobody else can read; raises `BadConfiguration`."""
    try:
        with open(path, encoding="ascii") as file:
            if os.fstat(file.fileno()).st_mode & 0o077:
                raise BadConfiguration(f"{path}: others can read this file; its mode must be 0600")
            return file.read().strip()
    except (OSError, ValueError) as problem:
        raise BadConfiguration(f"{path}: {problem}") from problem


def _parse(fields: Fields) -> Config:
    url = fields.text("url").rstrip("/")
    if not url.startswith(("https://", "http://")):
        raise BadConfiguration("url: it must begin with https:// or http://")
    environments = {name: _environment(fields, name) for name in fields.mapping("environments", optional=True)}
    slot = fields.sub("slot")
    return Config(
        url=url,
        ca_file=fields.optional_text("ca_file"),
        stamp=fields.text("stamp"),
        secret_file=fields.text("secret_file"),
        workdir=os.path.abspath(fields.text("workdir")),
        slot=Slot(
            cores=slot.integer("cores"),
            memory=slot.integer("memory"),
            walltime=slot.number("walltime"),
            tags=_offered(fields.texts("tags", optional=True), environments),
            idle=fields.number("idle"),
        ),
        environments=environments,
        site=fields.optional_text("site") or "",
    )


def _environment(fields: Fields, name: str) -> Environment:
    one = Fields(fields.mapping("environments")[name], f"environments.{name}")
    variables: Dict[str, Any] = one.mapping("variables", optional=True)
    return Environment(one.texts("path", optional=True), {key: str(value) for key, value in variables.items()})


def _offered(tags: Tuple[str, ...], environments: Mapping[str, Environment]) -> Tuple[str, ...]:
    """Leave out environments that are promised but not there: a payload that needs one would only fail."""
    return tuple(
        tag for tag in tags if not tag.startswith(ENVIRONMENT_TAG) or tag[len(ENVIRONMENT_TAG) :] in environments
    )
