"""`sancho data sign`: URLs for programs that know no tokens."""

from typing import Annotated

import typer

from sancho_client.calls import data
from sancho_client.cli.options import Lifetime, lifetime_of
from sancho_client.cli.verbs import Session, Verbs


def add_to(verbs: Verbs) -> None:
    """Add this verb to `sancho data`."""
    verbs.command("sign", example="sancho data sign --rse disk-a https://disk-a:8443/belle/mc/0a1/a1/f.root")(sign)


def sign(
    session: Session,
    urls: Annotated[list[str], typer.Argument(metavar="URL...", help="Where the files lie, or are to lie.")],
    rse: Annotated[str, typer.Option("--rse", help="The RSE; its document must allow signed URLs.")],
    write: Annotated[bool, typer.Option("--write", help="To put a file there, not to read one.")] = False,
    lifetime: Lifetime = None,
) -> None:
    """Print URLs that need no token, for 15 minutes or so long as you say: whoever sees one may use it.

    `sancho data ls` and `sancho data info` say where files are.
    """
    said = session.client.send(data.sign(rse, urls, write=write, lifetime=lifetime_of(lifetime)))
    if session.output.as_json:
        session.output.json(said)
        return
    for url in said.urls:
        session.output.line(url)
