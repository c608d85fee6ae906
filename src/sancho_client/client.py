"""The clients: they carry out calls, one waiting for the answer, the other awaiting it.

    with Client() as client:
        job = client.send(jobs.show(17))
        for rule in client.pages(rules.list_rules()):
            …

    async with AsyncClient() as client:
        job = await client.send(jobs.show(17))

Without arguments the server, the VO and the token come from the environment (`sancho_client.environment`) and the
login cache. A client may be used by many threads (or tasks) at once.
"""

import asyncio
import ssl
import time
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Self, TypeVar

from httpx2 import (
    AsyncBaseTransport,
    BaseTransport,
    Limits,
    Request,
    Response,
    Timeout,
    TransportError,
)
from httpx2 import AsyncClient as AsyncHttp
from httpx2 import Client as Http
from pydantic import ValidationError

from sancho_client.call import Call, Cursor, Lines, PageBody, Pages
from sancho_client.environment import Environment
from sancho_client.errors import AnswerUnclear, BadInput, ServerAway
from sancho_client.exchange import Builder, Patience, Steps, TokenSource, Wait, carry, exchange
from sancho_client.tokens import remembered_server
from sancho_client.tokens import source as token_source

T = TypeVar("T")
PATIENCE = 30.0
"""Seconds that a call may spend waiting for the server to come back."""
TIMEOUT = Timeout(60.0, connect=10.0)
LIMITS = Limits(max_connections=32, max_keepalive_connections=16)


def client_version() -> str:
    """The version of the installed distribution."""
    try:
        return version("sancho-grid")
    except PackageNotFoundError:
        return "unknown"


class _Connection:
    """What both clients know: the server, whose token to send, whom to trust, and how requests look."""

    def __init__(
        self,
        url: str | None = None,
        *,
        vo: str | None = None,
        tokens: TokenSource | None = None,
        environment: Environment | None = None,
        patience: float = PATIENCE,
    ) -> None:
        self.environment = environment or Environment.read()
        self.url = server_url(url, self.environment)
        self.tokens = tokens or token_source(self.environment, self.url, vo)
        self.patience = patience

    def trust(self) -> ssl.SSLContext | bool:
        """Whose certificates are trusted."""
        return True if self.environment.ca_file is None else trusted(self.environment)

    def builder(self, call: Call[Any]) -> Builder:
        query = {k: v for k, v in (call.query or {}).items() if v is not None}

        def build(token: str | None) -> Request:
            headers = {"authorization": f"Bearer {token}"} if token else {}
            return Request(
                call.method,
                self.url + call.path,
                params=query,
                headers=HEADERS | headers,
                json=call.json,
                data=call.form,
            )

        return build

    def steps(self, call: Call[T]) -> Steps[T]:
        return carry(call, self.builder(call), self.tokens, Patience(seconds=self.patience))

    def stream_steps(self, call: Call[Any]) -> Steps[Response]:
        return exchange(call, self.builder(call), self.tokens, Patience(seconds=self.patience), stream=True)


HEADERS = {"user-agent": f"sancho-client/{client_version()}", "accept": "application/json"}


def trusted(environment: Environment) -> ssl.SSLContext:
    """A context that trusts the authorities of SANCHO_CA_FILE, or the system's."""
    try:
        return ssl.create_default_context(cafile=environment.ca_file and str(environment.ca_file))
    except (OSError, ssl.SSLError) as e:
        raise BadInput(f"{environment.ca_file} holds no certificates: {e}", hint="See SANCHO_CA_FILE.") from e


def server_url(url: str | None, environment: Environment) -> str:
    """The server to talk to: the one given, SANCHO_URL, or that of the last login."""
    chosen = url or environment.url or remembered_server(environment)
    if chosen is None:
        raise BadInput("No server is known.", hint="Set SANCHO_URL, or run `sancho login --url URL`.")
    if not chosen.startswith(("http://", "https://")):
        raise BadInput(f"{chosen} is not the URL of a server.", hint="It begins with https:// or http://.")
    return chosen.rstrip("/")


class Client:
    """Carries out calls and waits for their answers."""

    def __init__(
        self,
        url: str | None = None,
        *,
        vo: str | None = None,
        tokens: TokenSource | None = None,
        environment: Environment | None = None,
        transport: BaseTransport | None = None,
        patience: float = PATIENCE,
    ) -> None:
        self._connection = _Connection(url, vo=vo, tokens=tokens, environment=environment, patience=patience)
        self.http = Http(transport=transport, verify=self._connection.trust(), limits=LIMITS, timeout=TIMEOUT)

    @property
    def url(self) -> str:
        """The server."""
        return self._connection.url

    @property
    def environment(self) -> Environment:
        """What the environment said."""
        return self._connection.environment

    def send(self, call: Call[T]) -> T:
        """Carry out one call; raises `Problem`, `ServerAway` or `NotLoggedIn`."""
        return self._drive(self._connection.steps(call))

    def pages(self, pages: Pages[T]) -> Iterator[T]:
        """Iterate over a listing; the next page is fetched when it is needed."""
        cursor: Cursor | None = None
        left = pages.limit
        while left is None or left > 0:
            page = self.send(pages.page(cursor))
            items, cursor = _page(pages, page)
            items = items[:left]
            yield from items
            left = None if left is None else left - len(items)
            if cursor is None:
                return

    def lines(self, lines: Lines[T]) -> Generator[T, None, None]:
        """Iterate over a streamed listing, one line at a time; leaving early closes the stream."""
        response = self._drive(self._connection.stream_steps(lines.call()))
        try:
            for line in response.iter_lines():
                if line:
                    yield _line(lines, line)
        except TransportError as e:
            raise _broken(lines, e) from e
        finally:
            response.close()

    def close(self) -> None:
        """Close the connections."""
        self.http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _drive(self, steps: Steps[T]) -> T:
        try:
            step = next(steps)
            while True:
                if isinstance(step, Wait):
                    time.sleep(step.seconds)
                    step = steps.send(None)
                    continue
                try:
                    response = self.http.send(step.request, stream=step.stream)
                    if step.stream and response.is_error:
                        response.read()
                except TransportError as e:
                    step = steps.throw(e)
                else:
                    step = steps.send(response)
        except StopIteration as stop:
            return stop.value
        finally:
            steps.close()


class AsyncClient:
    """Carries out calls; the same as `Client`, awaited."""

    def __init__(
        self,
        url: str | None = None,
        *,
        vo: str | None = None,
        tokens: TokenSource | None = None,
        environment: Environment | None = None,
        transport: AsyncBaseTransport | None = None,
        patience: float = PATIENCE,
    ) -> None:
        self._connection = _Connection(url, vo=vo, tokens=tokens, environment=environment, patience=patience)
        trust = self._connection.trust()
        self.http = AsyncHttp(transport=transport, verify=trust, limits=LIMITS, timeout=TIMEOUT)

    @property
    def url(self) -> str:
        """The server."""
        return self._connection.url

    async def send(self, call: Call[T]) -> T:
        """Carry out one call; raises `Problem`, `ServerAway` or `NotLoggedIn`."""
        return await self._drive(self._connection.steps(call))

    async def pages(self, pages: Pages[T]) -> AsyncIterator[T]:
        """Iterate over a listing; the next page is fetched when it is needed."""
        cursor: Cursor | None = None
        left = pages.limit
        while left is None or left > 0:
            page = await self.send(pages.page(cursor))
            items, cursor = _page(pages, page)
            items = items[:left]
            for item in items:
                yield item
            left = None if left is None else left - len(items)
            if cursor is None:
                return

    async def lines(self, lines: Lines[T]) -> AsyncGenerator[T, None]:
        """Iterate over a streamed listing, one line at a time; leaving early closes the stream."""
        response = await self._drive(self._connection.stream_steps(lines.call()))
        try:
            async for line in response.aiter_lines():
                if line:
                    yield _line(lines, line)
        except TransportError as e:
            raise _broken(lines, e) from e
        finally:
            await response.aclose()

    async def close(self) -> None:
        """Close the connections."""
        await self.http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _drive(self, steps: Steps[T]) -> T:
        try:
            step = next(steps)
            while True:
                if isinstance(step, Wait):
                    await asyncio.sleep(step.seconds)
                    step = steps.send(None)
                    continue
                try:
                    response = await self.http.send(step.request, stream=step.stream)
                    if step.stream and response.is_error:
                        await response.aread()
                except TransportError as e:
                    step = steps.throw(e)
                else:
                    step = steps.send(response)
        except StopIteration as stop:
            return stop.value
        finally:
            steps.close()


def _page(pages: Pages[T], page: PageBody) -> tuple[list[T], Cursor | None]:
    try:
        return pages.parse(page)
    except ValidationError as e:
        raise _unclear(pages.path, e) from e


def _line(lines: Lines[T], line: str) -> T:
    try:
        return lines.parse(line)
    except ValidationError as e:
        raise _unclear(lines.path, e) from e


def _unclear(path: str, error: ValidationError) -> AnswerUnclear:
    first = error.errors(include_url=False)[0]
    return AnswerUnclear(f"The answer to GET {path} is not what this client expects: {first['loc']}: {first['msg']}")


def _broken(lines: Lines[Any], error: TransportError) -> ServerAway:
    return ServerAway(f"The listing {lines.path} broke off: {error}", hint="Ask again.")
