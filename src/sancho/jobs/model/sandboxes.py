"""The words of sandboxes."""

from dataclasses import dataclass

TAR_GZ, TAR_BZ2, TAR_ZST = "tar.gz", "tar.bz2", "tar.zst"
FORMATS = (TAR_GZ, TAR_BZ2, TAR_ZST)
"""How a sandbox may be packed; pilots unpack the first alone."""
LARGEST_SANDBOX = 100 * 1024**2


@dataclass(frozen=True, kw_only=True)
class Announced:
    """A sandbox to come: what it is, and how it is packed."""

    sha256: bytes
    size: int
    format: str = TAR_GZ


@dataclass(frozen=True, kw_only=True)
class JobSandboxes:
    """The sandboxes of a job, by their SHA-256; None: none, or none any more."""

    job_id: int
    account_id: int
    account: str
    group_name: str
    input: bytes | None
    input_format: str | None
    output: bytes | None
    output_format: str | None
