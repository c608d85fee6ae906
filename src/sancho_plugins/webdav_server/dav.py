"""`PROPFIND` by WsgiDAV, a WSGI application: it runs in a thread, with small bodies."""

import asyncio
import io
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeAlias, cast

from wsgidav.error_printer import ErrorPrinter
from wsgidav.fs_dav_provider import FilesystemProvider, FolderResource
from wsgidav.request_resolver import RequestResolver
from wsgidav.wsgidav_app import WsgiDAVApp

from sancho_plugins.file_tree import RESERVED
from sancho_plugins.webdav_server.asgi import Answer, Request

Wsgi: TypeAlias = Callable[[dict[str, Any], Callable[..., object]], Iterable[bytes]]

_NOT_PASSED_ON = {"authorization", "content-length", "content-type", "transfer-encoding", "destination"}
_NOT_ANSWERED = {"connection", "content-length", "date", "ms-author-via", "server"}


class Dav:
    """WsgiDAV over one folder, without its own users, locks, properties and browser pages."""

    def __init__(self, root: Path, executor: Executor) -> None:
        """It runs in the executor's threads."""
        self._executor = executor
        config: dict[str, Any] = {
            "provider_mapping": {"/": _Provider(str(root), fs_opts={"follow_symlinks": False})},
            "middleware_stack": [ErrorPrinter, RequestResolver],
            "lock_storage": None,
            "property_manager": None,
            "http_authenticator": {"accept_basic": False},
            "verbose": 1,
            "logging": {"enable": False},
        }
        self._app = cast(Wsgi, WsgiDAVApp(config))

    async def answer(self, request: Request, answer: Answer, body: bytes) -> None:
        """Pass the request on, and its answer back."""
        loop = asyncio.get_running_loop()
        status, headers, content = await loop.run_in_executor(self._executor, _call, self._app, _environ(request, body))
        await answer.whole(status, headers, content)


class _Provider(FilesystemProvider):
    """The file system, less the folder that is the server's own."""

    def get_resource_inst(self, path: str, environ: dict[str, Any]) -> Any:
        """Make the object that stands for a path; named by the base class."""
        if path == "/":
            return _Root(path, environ, cast(Any, self).root_folder_path)
        return cast(Any, super()).get_resource_inst(path, environ)


class _Root(FolderResource):
    def get_member_names(self) -> list[str]:
        return [name for name in super().get_member_names() if name != RESERVED]


def _environ(request: Request, body: bytes) -> dict[str, Any]:
    host, port = request.scope.get("server") or ("localhost", 0)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": request.path.encode().decode("latin-1"),
        "QUERY_STRING": "",
        "CONTENT_LENGTH": str(len(body)),
        "CONTENT_TYPE": request.headers.get("content-type", ""),
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": request.scope["scheme"],
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in request.headers.items():
        if name not in _NOT_PASSED_ON:
            environ[f"HTTP_{name.upper().replace('-', '_')}"] = value
    return environ


def _call(app: Wsgi, environ: dict[str, Any]) -> tuple[HTTPStatus, dict[str, str], bytes]:
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> None:  # noqa: ARG001
        started.append((status, headers))

    content = b"".join(app(environ, start_response))
    status, headers = started[-1]
    kept = {name: value for name, value in headers if name.lower() not in _NOT_ANSWERED}
    return HTTPStatus(int(status.split()[0])), kept, content
