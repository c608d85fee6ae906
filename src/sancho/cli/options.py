"""Options that several verbs of this side have, and how they write JSON."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import BaseModel, TypeAdapter

HomeOption = Annotated[
    Path | None,
    typer.Option(
        "--home",
        envvar="SANCHO_HOME",
        help="Folder of the grid; by default ~/.local/state/sancho, for root /var/lib/sancho/default.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Write JSON, and nothing else.")]
VosOption = Annotated[
    list[str] | None,
    typer.Option("--vo", metavar="VO", help="A VO to make; more may follow, after spaces or commas."),
]
MoreVos = Annotated[list[str] | None, typer.Argument(metavar="VO", help="More VOs, after --vo.")]
"""What follows the first name after `--vo`."""


def named_vos(vos: Sequence[str] | None, more: Sequence[str] | None) -> tuple[str, ...]:
    """Return the VOs that were named after `--vo`, with commas or spaces between them."""
    if more and not vos:
        raise typer.BadParameter(f"{more[0]} is unexpected; VOs are named after --vo.")
    said = [name.strip() for word in (*(vos or ()), *(more or ())) for name in word.split(",")]
    return tuple(dict.fromkeys(filter(None, said)))


def write_json(value: Any) -> None:
    """Write one JSON document."""
    typer.echo(TypeAdapter[Any](type(value) if isinstance(value, BaseModel) else Any).dump_json(value, indent=2))
