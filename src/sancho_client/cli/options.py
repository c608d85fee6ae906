"""Options that several verbs have."""

from typing import Annotated

import typer

from sancho_client.models.base import seconds


def lifetime_of(text: str | None) -> float | None:
    """Seconds of a lifetime in words; a usage error when it cannot be read."""
    try:
        return None if text is None else float(seconds(text))
    except ValueError as e:
        raise typer.BadParameter(f"{e}.") from None


Lifetime = Annotated[str | None, typer.Option("--lifetime", help="Keep it so long: '30 d'; else for ever.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Owner = Annotated[
    str | None, typer.Option("--of", metavar="VO", help="Of another VO; for administrators of the installation.")
]
