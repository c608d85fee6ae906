"""What DiracX's clients say of sandboxes, and are told."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from sancho.jobs.model import MAX_ROWS
from sancho.kit.units import Id


class SandboxFormat(StrEnum):
    """How a sandbox may be packed; the first is our own, and DiracX does not have it."""

    TAR_GZ = "tar.gz"
    TAR_BZ2 = "tar.bz2"
    TAR_ZST = "tar.zst"


class SandboxType(StrEnum):
    """What a job begins with, and what it leaves; in paths it is written small."""

    INPUT = "input"
    OUTPUT = "output"


class SandboxInfo(BaseModel):
    """A sandbox to come."""

    checksum_algorithm: Literal["sha256"]
    checksum: Annotated[str, Field(pattern="^[0-9a-fA-F]{64}$")]
    size: Annotated[int, Field(ge=1, lt=2**63)]
    format: SandboxFormat


class SandboxUpload(BaseModel):
    """Its name, and the form that it is sent with; without a URL it is there already."""

    pfn: str
    url: str | None = None
    fields: dict[str, str] = {}


class SandboxDownload(BaseModel):
    """Where it is to be had, for so many seconds."""

    url: str
    expires_in: int


class JobIds(BaseModel):
    """Jobs by id."""

    job_ids: Annotated[list[Id], Field(min_length=1, max_length=MAX_ROWS)]
