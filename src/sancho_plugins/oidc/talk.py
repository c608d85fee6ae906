"""All HTTP with an issuer: bounded in size and time, no redirects, and no code, token or secret in what goes wrong."""

import asyncio
import functools
import json
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import httpx2

from sancho_contract.identity import IdentityRefused, ProviderUnavailable

LARGEST = 1 << 20
"""Bytes of the largest answer that we read."""
_LATER = {408, 425, 429}


@dataclass(frozen=True)
class Answer:
    """What an issuer answered."""

    who: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        """The JSON object in it; raises `IdentityRefused` when there is none, or when it is no success."""
        self.check()
        return self._object()

    def check(self) -> None:
        """Raise `ProviderUnavailable` or `IdentityRefused` for what is no success."""
        if self.status == 200:
            return
        if self.status >= 500 or self.status in _LATER:
            wait = self.headers.get("retry-after", "")
            raise ProviderUnavailable(
                f"{self.who} answered {self.status}",
                retry_after=float(wait) if re.fullmatch("[0-9]{1,6}", wait) else None,
            )
        raise IdentityRefused(f"{self.who} answered {self.status}{self._reason()}")

    def _reason(self) -> str:
        """OAuth's word for what is wrong; the description beside it may quote what we sent."""
        try:
            word = self._object().get("error")
        except IdentityRefused:
            return ""
        return f": {word}" if isinstance(word, str) and re.fullmatch("[a-z_]{1,50}", word) else ""

    def _object(self) -> dict[str, Any]:
        try:
            said = json.loads(self.body)
        except (ValueError, RecursionError):
            said = None
        if not isinstance(said, dict):
            raise IdentityRefused(f"{self.who} answered with something else than a JSON object")
        return cast(dict[str, Any], said)


class Talk:
    """A client for one issuer; connects when it is first used."""

    def __init__(self, ca_file: Path | None, timeout: float) -> None:
        """`timeout` is for a whole answer."""
        self._ca_file = ca_file
        self._timeout = timeout
        self._client: httpx2.AsyncClient | None = None

    async def get(self, url: str, *, bearer: str | None = None, largest: int = LARGEST) -> Answer:
        """Ask for something."""
        return await self._ask("GET", url, {"Authorization": f"Bearer {bearer}"} if bearer else {}, None, largest)

    async def post(self, url: str, form: Mapping[str, str], *, basic: str | None = None) -> Answer:
        """Send a form; `basic` are credentials, encoded."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return await self._ask("POST", url, headers | ({"Authorization": f"Basic {basic}"} if basic else {}), form)

    async def aclose(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()

    async def _ask(
        self, method: str, url: str, headers: dict[str, str], form: Mapping[str, str] | None, largest: int = LARGEST
    ) -> Answer:
        who = _who(url)
        body = bytearray()
        try:
            client = self._connected()
            async with (
                asyncio.timeout(self._timeout),
                client.stream(method, url, headers=headers, data=form) as response,
            ):
                async for piece in response.aiter_raw():
                    body += piece
                    if len(body) > largest:
                        raise IdentityRefused(f"{who} answered with more than {largest} B")
        except TimeoutError as error:
            raise ProviderUnavailable(f"{who} did not answer in time") from error
        except httpx2.HTTPError as error:
            raise ProviderUnavailable(f"{who} cannot be reached: {type(error).__name__}") from error
        except httpx2.InvalidURL as error:
            raise IdentityRefused(f"{who} is no place to ask") from error
        return Answer(who, response.status_code, response.headers, bytes(body))

    def _connected(self) -> httpx2.AsyncClient:
        if self._client is None:
            try:
                trusted = _system() if self._ca_file is None else ssl.create_default_context(cafile=self._ca_file)
            except OSError as error:
                raise ProviderUnavailable("the issuer's CA certificates (ca_file) cannot be read") from error
            self._client = httpx2.AsyncClient(
                verify=trusted,
                timeout=self._timeout,
                headers={"Accept": "application/json", "Accept-Encoding": "identity"},
                follow_redirects=False,
                trust_env=False,
            )
        return self._client


@functools.cache
def _system() -> ssl.SSLContext:
    """The system's certificates, read once for all issuers."""
    return ssl.create_default_context()


def _who(url: str) -> str:
    """Name a server without path and query."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
