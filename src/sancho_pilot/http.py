"""HTTP over the standard library: connections that are used again, streamed bodies, redirects that lose no token.

Used by several threads at once. What goes wrong on the way is one error,
`Unreachable`; a status is never an error here.
"""

from __future__ import annotations

import http.client
import ssl
import threading
from email.message import Message
from typing import BinaryIO, Dict, List, Mapping, Optional, Tuple, Type, Union
from urllib.parse import urljoin, urlsplit

BLOCK = 256 * 1024
REDIRECTS = 5
IDLE_CONNECTIONS = 4
FOLLOWED = (301, 302, 303, 307, 308)
STALE = (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError)

Body = Union[None, bytes, BinaryIO]
Place = Tuple[str, str, int]


class Unreachable(Exception):
    """No answer: no connection, no trust, a broken line, a silence. The message names the host, never a path."""


class Unspeakable(Exception):
    """The URL is of a kind that we do not speak."""


class Answer:
    """An answer whose body is read by whoever asked; use it in a `with`."""

    def __init__(
        self, client: Client, place: Place, connection: Connection, response: http.client.HTTPResponse
    ) -> None:
        """Made by `Client`."""
        self.status = response.status
        self.headers: Message = response.headers
        self._client = client
        self._place = place
        self._connection = connection
        self._response = response

    def read(self, size: int = -1) -> bytes:
        """Read some of the body; nothing when it is at its end. Raises `Unreachable`, also for a body cut short."""
        try:
            data = self._response.read(None if size < 0 else size)
        except (OSError, http.client.HTTPException) as problem:
            raise _unreachable(self._place, problem) from problem
        if not data and size != 0 and self._response.length:
            raise Unreachable(f"{self._place[1]}: the answer was cut short")
        return data

    def __enter__(self) -> Answer:  # noqa: PYI034 - Python 3.8 has no Self
        """Return itself."""
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], *_: object) -> None:
        """Keep the connection if the body was read to its end, close it otherwise."""
        if kind is None and self._response.isclosed() and not self._response.will_close:
            self._client.give_back(self._place, self._connection)
        else:
            self._response.close()
            self._connection.close()


Connection = http.client.HTTPConnection


class Client:
    """A small HTTP client; one for the whole pilot."""

    def __init__(self, ca_file: Optional[str] = None) -> None:
        """Trust what the system trusts, and the CAs in `ca_file`."""
        self._context = ssl.create_default_context()
        if ca_file is not None:
            self._context.load_verify_locations(cafile=ca_file)
        self._idle: Dict[Place, List[Connection]] = {}
        self._lock = threading.Lock()

    def ask(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: Body = None,
        *,
        again: Optional[bytes] = None,
        timeout: float = 30.0,
    ) -> Answer:
        """Send a request and return the answer; raises `Unreachable`, `Unspeakable`.

        Redirects are followed; a bearer token goes no further than the host
        it was meant for. A body that is a file is sent from its beginning,
        possibly more than once, and must have a `Content-Length` in `headers`.

        When a connection that lay idle is lost, nobody knows whether the
        request was carried out: it is sent once more, with `again` as its
        body if there is one.
        """
        first = _place(url)
        for _ in range(REDIRECTS):
            place = _place(url)
            sent = headers if place == first else {k: v for k, v in headers.items() if k.lower() != "authorization"}
            answer = self._ask_once(method, place, _target(url), (sent, body), timeout, again)
            location = answer.headers.get("Location")
            if answer.status not in FOLLOWED or location is None:
                return answer
            with answer:
                answer.read()
            url = urljoin(url, location)
        raise Unreachable(f"{first[1]}: too many redirects")

    def give_back(self, place: Place, connection: Connection) -> None:
        """Keep a connection for the next request to the same place."""
        with self._lock:
            idle = self._idle.setdefault(place, [])
            if len(idle) < IDLE_CONNECTIONS:
                idle.append(connection)
                return
        connection.close()

    def close(self) -> None:
        """Close all connections that nobody uses."""
        with self._lock:
            for connections in self._idle.values():
                for connection in connections:
                    connection.close()
            self._idle.clear()

    def _ask_once(
        self,
        method: str,
        place: Place,
        target: str,
        what: Tuple[Mapping[str, str], Body],
        timeout: float,
        again: Optional[bytes],
    ) -> Answer:
        used = self._take(place) if what[1] is None or isinstance(what[1], bytes) else None  # a long body goes out once
        if used is not None:
            try:
                return self._send(used, method, place, target, what, timeout)
            except STALE:  # it was closed while it lay idle; a fresh one tells whether anybody is there
                used.close()
                if again is not None:
                    what = ({**what[0], "Content-Length": str(len(again))}, again)
        fresh = self._connect(place, timeout)
        try:
            return self._send(fresh, method, place, target, what, timeout)
        except STALE as problem:
            raise _unreachable(place, problem) from problem

    def _send(
        self,
        connection: Connection,
        method: str,
        place: Place,
        target: str,
        what: Tuple[Mapping[str, str], Body],
        timeout: float,
    ) -> Answer:
        headers, body = what
        answered = False
        try:
            if connection.sock is None:
                connection.connect()
            if connection.sock is not None:
                connection.sock.settimeout(timeout)
            if body is not None and not isinstance(body, bytes):
                body.seek(0)
            try:
                connection.request(method, target, body=body, headers=dict(headers))
            except (BrokenPipeError, ConnectionResetError):
                if body is None or isinstance(body, bytes):
                    raise  # else: an early `no` to a long body; the answer says why
            answer = Answer(self, place, connection, connection.getresponse())
            answered = True
            return answer
        except STALE:
            raise
        except (OSError, http.client.HTTPException, ValueError) as problem:
            raise _unreachable(place, problem) from problem
        finally:
            if not answered:
                connection.close()

    def _take(self, place: Place) -> Optional[Connection]:
        with self._lock:
            idle = self._idle.get(place)
            return idle.pop() if idle else None

    def _connect(self, place: Place, timeout: float) -> Connection:
        scheme, host, port = place
        if scheme == "https":
            return http.client.HTTPSConnection(host, port, timeout=timeout, context=self._context, blocksize=BLOCK)
        return http.client.HTTPConnection(host, port, timeout=timeout, blocksize=BLOCK)


def host(url: str) -> str:
    """Return what may be said of a URL in a log."""
    return urlsplit(url).hostname or "?"


def _place(url: str) -> Place:
    parts = urlsplit(url)
    scheme = {"davs": "https", "dav": "http"}.get(parts.scheme, parts.scheme)
    if scheme not in ("https", "http") or not parts.hostname:
        raise Unspeakable(f"{parts.scheme or '?'}: this pilot speaks https and http")
    try:
        return scheme, parts.hostname, parts.port or (443 if scheme == "https" else 80)
    except ValueError as problem:
        raise Unspeakable(f"{parts.hostname}: a port that is no number") from problem


def _target(url: str) -> str:
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _unreachable(place: Place, problem: Exception) -> Unreachable:
    words = str(problem) or type(problem).__name__
    return Unreachable(f"{place[1]}: {words}")
