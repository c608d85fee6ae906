"""Plugins by name: entry points in groups such as `sancho.storage`, made once per process with their settings.

A plugin is a class with a nested Pydantic model `Settings`; it is made as `Plugin(Plugin.Settings(**settings))`. One
that needs secrets of a VO is made with a second argument, a `SecretReader` of the contract.
"""

import json
from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Any

from sancho.kit.errors import Invalid
from sancho.kit.secrets import VoSecrets


class PluginUnknown(Invalid):
    """No plugin named {name} is installed for {group}; there are: {installed}."""

    code = "plugin_unknown"

    def __init__(self, *, group: str, name: str, installed: str) -> None:
        """Name what was asked for and what there is."""
        super().__init__(group=group, name=name, installed=installed, field="plugin")


def installed(group: str) -> dict[str, str]:
    """Names of the plugins of a group, each with where it comes from."""
    return {e.name: e.value for e in entry_points(group=group)}


class Extensions:
    """The plugins of one process; each (group, name, settings) is made once and kept, with secrets once for each VO."""

    def __init__(self, made: Mapping[tuple[str, str], Any] | None = None) -> None:
        """Start empty; `made` gives ready plugins by (group, name), for tests."""
        self._given = dict(made or {})
        self._made: dict[tuple[str, str, str, str | None], Any] = {}

    def get(
        self, group: str, name: str, settings: Mapping[str, Any] | None = None, *, secret: VoSecrets | None = None
    ) -> Any:
        """Return a plugin; raises `PluginUnknown`, or pydantic's `ValidationError` for bad settings.

        `secret` are the secrets of the VO that the plugin works for, in groups whose plugins read some.
        """
        if (group, name) in self._given:
            return self._given[group, name]
        key = (group, name, json.dumps(settings or {}, sort_keys=True, default=str), secret and secret.vo)
        if key not in self._made:
            plugin = load(group, name)
            self._made[key] = plugin(plugin.Settings(**(settings or {})), *([secret] if secret else []))
        return self._made[key]

    async def aclose(self) -> None:
        """Close the connections of the plugins that were made here; nothing may be asked of them afterwards."""
        made, self._made = list(self._made.values()), {}
        for plugin in made:
            if (close := getattr(plugin, "aclose", None)) is not None:
                await close()


def load(group: str, name: str) -> Any:
    """Return a plugin's class; raises `PluginUnknown`."""
    found = entry_points(group=group, name=name)
    if not found:
        raise PluginUnknown(group=group, name=name, installed=", ".join(sorted(installed(group))) or "none")
    return next(iter(found)).load()
