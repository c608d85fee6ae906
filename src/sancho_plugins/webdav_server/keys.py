"""The issuer's public keys: fetched, kept, and asked for again when a token names one that is not there."""

import asyncio
import logging
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import httpx2
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, OKPKey
from pydantic import BaseModel

log = logging.getLogger(__name__)

_TRY_AGAIN = 3.0
_TOO_OLD = 600.0

VerifyingKey: TypeAlias = ECKey | OKPKey


class IssuerUnavailable(Exception):
    """The issuer's keys cannot be fetched, and without them this token cannot be judged."""


class IssuerKeys:
    """Keys by their id.

    Fetched at most every few seconds, and anew every ten minutes, so that a
    key that the issuer takes back stops working. While the issuer is away the
    keys fetched last go on working.
    """

    def __init__(self, url: str, ca_file: Path | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        """Nothing is fetched before the first key is asked for."""
        self._url = url
        self._clock = clock
        self._client = httpx2.AsyncClient(
            timeout=5.0, verify=ssl.create_default_context(cafile=ca_file), trust_env=False
        )
        self._keys: dict[str, VerifyingKey] = {}
        self._fetched_at: float | None = None
        self._tried_at: float | None = None
        self._failed = False
        self._lock = asyncio.Lock()
        self._refresh: asyncio.Task[None] | None = None

    async def find(self, key_id: str) -> VerifyingKey | None:
        """Return a key, or None if the issuer has no such key; raises `IssuerUnavailable` when nobody can know."""
        if key_id not in self._keys:
            await self._fetch()
        elif self._is_old() and (self._refresh is None or self._refresh.done()):
            self._refresh = asyncio.create_task(self._fetch())  # nobody waits for it: this key is good meanwhile
        if key_id not in self._keys and self._failed:
            raise IssuerUnavailable
        return self._keys.get(key_id)

    async def aclose(self) -> None:
        """Close the connection to the issuer."""
        if self._refresh is not None:
            self._refresh.cancel()
        await self._client.aclose()

    def _is_old(self) -> bool:
        return self._fetched_at is None or self._clock() - self._fetched_at > _TOO_OLD

    async def _fetch(self) -> None:
        async with self._lock:
            if self._tried_at is not None and self._clock() - self._tried_at < _TRY_AGAIN:
                return
            try:
                response = await self._client.get(self._url)
                response.raise_for_status()
                self._keys = _usable(_KeySet.model_validate_json(response.content))
            except (httpx2.HTTPError, ValueError) as error:
                self._failed = True
                log.warning("keys of the issuer not fetched from %s: %s", self._url, error or type(error).__name__)
            else:
                self._failed = False
                self._fetched_at = self._clock()
            finally:
                self._tried_at = self._clock()


class _KeySet(BaseModel):
    keys: list[dict[str, Any]]


def _usable(key_set: _KeySet) -> dict[str, VerifyingKey]:
    """Take the signing keys that we know how to use."""
    keys: dict[str, VerifyingKey] = {}
    for found in key_set.keys:
        if found.get("use", "sig") != "sig" or not isinstance(found.get("kid"), str):
            continue
        try:
            key = JWKRegistry.import_key(found)
        except (JoseError, ValueError, TypeError, KeyError):
            continue  # another kind of key
        if isinstance(key, ECKey | OKPKey):
            keys[found["kid"]] = key
    return keys
