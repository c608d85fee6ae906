"""Rucio's words for what DIRAC registers."""

from typing import Annotated

from pydantic import BaseModel, Field

from sancho.compat.rucio.wire import Meta, Name
from sancho.kit.units import FileSize
from sancho.replicas.model import REGISTERED_AT_ONCE


class LfnIn(BaseModel, extra="forbid"):
    """A file that is on an RSE, by its path."""

    lfn: Name
    rse: Name
    bytes: FileSize
    adler32: Annotated[str | None, Field(max_length=40)] = None
    guid: Annotated[str | None, Field(max_length=100)] = None
    pfn: Annotated[str | None, Field(max_length=2000)] = None
    meta: Meta | None = None


class LfnsIn(BaseModel, extra="forbid"):
    """Files that are on RSEs, by their paths."""

    lfns: Annotated[list[LfnIn], Field(max_length=REGISTERED_AT_ONCE)]
    ignore_availability: bool = False
    parents_metadata: Annotated[dict[Name, Meta], Field(max_length=REGISTERED_AT_ONCE)] | None = None
