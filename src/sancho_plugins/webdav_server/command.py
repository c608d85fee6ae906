"""`sancho storage`: serve a folder as the WebDAV storage of a small site."""

from pathlib import Path
from typing import Annotated

import typer

from sancho_plugins.webdav_server.serve import serve
from sancho_plugins.webdav_server.settings import StorageServerSettings


def storage(
    name: Annotated[str, typer.Option(help="What the storage calls itself.")],
    root: Annotated[Path, typer.Option(help="Folder to serve; made when missing.")],
    port: Annotated[int, typer.Option(help="Port to listen on.")],
    issuer: Annotated[str, typer.Option(help="Whose tokens it believes: the `iss`, exactly.")],
    jwks_url: Annotated[str, typer.Option(help="Where the issuer publishes its keys.")],
    audience: Annotated[str, typer.Option(help="The `aud` that tokens must have.")],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    issuer_ca: Annotated[Path | None, typer.Option(help="CA certificates to trust the issuer with.")] = None,
    tls_certificate: Annotated[Path | None, typer.Option(help="Certificate to serve https with.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its private key.")] = None,
    browsers: Annotated[
        list[str] | None, typer.Option("--browser", help="Origin whose pages may put files here; more may follow.")
    ] = None,
) -> None:
    """Serve a folder as a site's storage, over WebDAV, with tokens for single paths.

    Example: sancho storage --name disk --root /data --port 9001 --issuer https://grid --audience https://disk:9001
    --jwks-url https://grid/.well-known/jwks.json
    """
    serve(
        StorageServerSettings(
            name=name, root=root, host=host, port=port, issuer=issuer, jwks_url=jwks_url, audience=audience,
            issuer_ca=issuer_ca, tls_certificate=tls_certificate, tls_key=tls_key,
            browsers=tuple(browsers or ()),
        )
    )  # fmt: skip
