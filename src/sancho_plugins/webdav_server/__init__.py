"""A small WebDAV storage for one site: files below one folder, behind tokens that name paths.

    request ─▶ canonical path ─▶ bearer token, checked against the issuer's keys ─▶ may it? ─▶ bytes or listing

`PROPFIND` is WsgiDAV's; everything else is ours, as only then a half file is never seen, memory stays constant and two
clients may make one folder at once (docs/adr/0010-webdav-server.md). The server keeps no state but the
files; it may be killed at any moment, and several may serve the same folder.
"""

from sancho_plugins.webdav_server.serve import serve
from sancho_plugins.webdav_server.settings import StorageServerSettings

__all__ = ["StorageServerSettings", "serve"]
