"""What Rucio serves, and how much of it is served here: `endpoints.txt`, read."""

import re
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """One method on one path; `[/]` at its end says that clients send it with and without a slash."""

    resource: str
    state: str
    """`served`, `partial` or `refused`."""
    method: str
    path: str
    purpose: str
    client: str
    """The methods of `rucio-clients` that use it; empty when none does."""
    note: str

    @property
    def methods(self) -> list[str]:
        """The methods of `rucio.client.Client` that use it, by their names alone."""
        named = re.sub(r"\([^)]*\)", "", self.client).split(", ")
        return [name for name in named if name.islower() and name.isidentifier()]

    def matches(self, method: str, path: str) -> bool:
        """Say whether a request is for this; names of DIDs may hold slashes."""
        said = re.escape(self.path.removesuffix("[/]").rstrip("/")).replace(r"\{name\}", ".+")
        return method == self.method and re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", said) + "/?", path) is not None


def _read(text: str) -> list[Endpoint]:
    found: list[Endpoint] = []
    resource = ""
    for line in filter(None, text.splitlines()):
        if line.startswith("# "):
            resource = line[2:]
            continue
        head, purpose, client, note = [part.strip() for part in (line + " |" * 3).split("|")][:4]
        state, method, path = head.split()
        found.append(
            Endpoint(
                resource=resource, state=state, method=method, path=path, purpose=purpose, client=client, note=note
            )
        )
    return found


ENDPOINTS = _read(Path(__file__).with_name("endpoints.txt").read_text("utf-8"))
"""All of them."""
_ASKED = sorted((name, n) for n, endpoint in enumerate(ENDPOINTS) for name in endpoint.methods)
METHODS = {name: [ENDPOINTS[n] for _, n in those] for name, those in groupby(_ASKED, key=itemgetter(0))}
"""Every method of `rucio.client.Client` that asks a server, and the endpoints that it may ask."""
OFFLINE = {
    "del_key": "does nothing",
    "del_value": "does nothing",
    "get_opendata_host": "says what is configured",
    "list_dids_extended": "raises `DeprecationError`",
    "update_key": "does nothing",
}
"""The methods of `rucio.client.Client` that ask no server, and what they do instead."""


def support(method: str) -> str:
    """Say how much of a method is served: as much as of its endpoints, `partial` when they differ."""
    states = {endpoint.state for endpoint in METHODS[method]}
    return states.pop() if len(states) == 1 else "partial"


def meaning(method: str, path: str) -> Endpoint | None:
    """The endpoint that a request means: of those that fit its path the one with the most words of its own."""
    fitting = [endpoint for endpoint in ENDPOINTS if endpoint.matches(method, path)]
    return max(fitting, key=_words, default=None)


def _words(endpoint: Endpoint) -> int:
    return sum(not part.startswith("{") for part in endpoint.path.removesuffix("[/]").strip("/").split("/"))
