"""Rucio's words for its configuration: what clients send."""

from typing import Annotated

from pydantic import Field, RootModel

Said = Annotated[str, Field(max_length=2000)]
Options = Annotated[dict[str, bool | int | float | Said], Field(min_length=1, max_length=200)]


class ConfigIn(RootModel[Annotated[dict[str, Options], Field(min_length=1, max_length=200)]]):
    """Options to set, by section."""
