"""`sancho plugins`: what is installed, for CEs, storages, transfer tools and so on to be named in a document."""

from importlib.metadata import EntryPoint, entry_points

from pydantic import BaseModel

from sancho.cli.options import JsonOption
from sancho_client.cli.output import Column, Output

OURS = "sancho-grid"
GROUPS = "sancho."


class Plugin(BaseModel, frozen=True):
    """One plugin, and the distribution that it came with."""

    group: str
    name: str
    distribution: str | None
    version: str | None
    built_in: bool
    """Whether it is one of ours."""


COLUMNS: list[Column[Plugin]] = [
    Column("group", lambda one: one.group),
    Column("name", lambda one: one.name),
    Column("distribution", lambda one: one.distribution),
    Column("version", lambda one: one.version),
    Column("built in", lambda one: one.built_in),
]


def installed() -> list[Plugin]:
    """Return every plugin of this Python, by group and name."""
    groups = [group for group in entry_points().groups if group.startswith(GROUPS)]
    found = {_plugin(one) for group in groups for one in entry_points(group=group)}
    return sorted(found, key=lambda one: (one.group, one.name, one.distribution or ""))


def plugins(as_json: JsonOption = False) -> None:
    """List the plugins that are installed: what documents for CEs, storages and so on may name.

    Example: sancho plugins
    """
    Output(as_json=as_json).listing(installed(), COLUMNS, of="plugins")


def _plugin(one: EntryPoint) -> Plugin:
    name, version = (None, None) if one.dist is None else (one.dist.name, one.dist.version)
    return Plugin(group=one.group, name=one.name, distribution=name, version=version, built_in=name == OURS)
