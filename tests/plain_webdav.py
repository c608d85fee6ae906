"""A WebDAV server that knows less than ours: no tokens, no checksums, half files visible, folders not made."""

import io
import socketserver
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from wsgidav.fs_dav_provider import FilesystemProvider
from wsgidav.wsgidav_app import WsgiDAVApp


class _Threads(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name in the base class
        pass


class _WithWholeBody:
    """Gives WsgiDAV what wsgiref does not: a body that ends, chunked or not, even when the client has gone."""

    def __init__(self, app: Any) -> None:
        self.app = app

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        stream = environ["wsgi.input"]
        if environ.get("HTTP_TRANSFER_ENCODING") == "chunked":
            body = b""
            while size := int(stream.readline() or b"0", 16):
                body += stream.read(size)
                stream.readline()
        else:
            body = stream.read(int(environ.get("CONTENT_LENGTH") or 0))
        return self.app(environ | {"wsgi.input": io.BytesIO(body)}, start_response)


@contextmanager
def plain_webdav(root: Path) -> Generator[str]:
    """Serve a folder with WsgiDAV as it is; gives the URL."""
    config = {
        "provider_mapping": {"/": FilesystemProvider(str(root), fs_opts={})},
        "simple_dc": {"user_mapping": {"*": True}},
        "logging": {"enable": False},
        "verbose": 0,
    }
    app = _WithWholeBody(WsgiDAVApp(config))
    server = make_server("127.0.0.1", 0, app, server_class=_Threads, handler_class=_Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
