"""A request, and who sends it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

import httpx2

from tests.journeys.given import Filled


@dataclass(frozen=True)
class Ask:
    """A request: to which route, with which names in its path, and as whom (`pilot`, `job`, or nobody)."""

    route: str
    names: Mapping[str, Any]
    query: Mapping[str, Any]
    body: Any
    form: Mapping[str, Any] | None
    account: str | None
    vo: str | None = None
    """The VO of who asks, when it is not the one the request is about."""

    @property
    def path(self) -> str:
        """The path with its names filled in, each escaped but for the slashes of a DID or key."""
        path = self.route.partition(" ")[2]
        for name, value in self.names.items():
            path = path.replace(f"{{{name}:path}}", quote(str(value), safe="/:"))
            path = path.replace(f"{{{name}}}", quote(str(value), safe=""))
        return path

    async def send(self, filled: Filled, **more: Any) -> httpx2.Response:
        """Send it as somebody of a VO; `more` replaces what is sent."""
        headers = dict(more.pop("headers", {}))
        if self.account is not None:
            headers["authorization"] = f"Bearer {self.token(filled)}"
        sent: dict[str, Any] = {"params": self.query}
        if self.form is not None:
            sent["data"] = self.form
        elif self.body is not None:
            sent["json"] = self.body
        if "content" in more:
            sent.pop("json", None)
            sent.pop("data", None)
        url = f"/v1{more.pop('path', self.path)}"
        return await filled.served.client.request(self.route.partition(" ")[0], url, headers=headers, **sent | more)

    def token(self, filled: Filled) -> str:
        """The token of whom it is sent as."""
        assert self.account is not None
        machines = {"pilot": filled.pilot.token, "job": filled.job}
        return machines.get(self.account) or filled.served.token(self.vo or filled.vo, self.account)

    def with_names(self, **names: Any) -> "Ask":
        """The same about another thing."""
        return replace(self, names={**self.names, **names})


def ask(
    route: str, account: str | None = "alice", *, body: Any = None, form: Mapping[str, Any] | None = None,
    query: Mapping[str, Any] | None = None, **names: Any,
) -> Ask:  # fmt: skip
    """A request to a route."""
    return Ask(route=route, names=names, query=query or {}, body=body, form=form, account=account)
