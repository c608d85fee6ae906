"""Rucio's words for RSEs: what clients send to change one."""

from typing import Annotated

from pydantic import BaseModel, Field


class AttributeIn(BaseModel, extra="forbid"):
    """What an attribute shall be."""

    value: bool | int | float | Annotated[str, Field(max_length=1000)]


class RseChange(BaseModel, extra="forbid"):
    """What is to change about an RSE: whether it is read, written, deleted from."""

    availability_read: bool | None = None
    availability_write: bool | None = None
    availability_delete: bool | None = None


class DistanceIn(BaseModel, extra="forbid"):
    """What transfers between two RSEs shall cost; `ranking` is an old word for the same."""

    distance: Annotated[int, Field(ge=0, lt=2**15)]
    ranking: None = None
    bidirectional: bool = False
