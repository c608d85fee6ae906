"""Names of sandboxes as DiracX writes them, `SB:SandboxSE|/S3/BUCKET/VO/GROUP/ACCOUNT/sha256:HEX.tar.zst`. Pure."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Self

from sancho.compat.diracx.errors import SandboxNameUnfit, SandboxNotYours
from sancho.jobs.model.sandboxes import JobSandboxes

_PFN = re.compile(
    r"(?:SB:[^|/]{1,50}\|)?/S3/[^/]{1,63}/([^/]{1,100})/([^/]{1,100})/([^/]{1,256})"
    r"/sha256:([0-9a-fA-F]{64})\.tar\.(gz|bz2|zst)"
)
_BUCKET = "sandboxes"
"""It says nothing: where objects lie is the server's own affair, and may change."""


@dataclass(frozen=True)
class Pfn:
    """The name of a sandbox: whose it is said to be, and its content."""

    vo: str
    group: str
    account: str
    sha256: bytes
    format: str

    @classmethod
    def of(cls, text: str) -> Self:
        """Read one; raises `SandboxNameUnfit`."""
        found = _PFN.fullmatch(text)
        if found is None:
            raise SandboxNameUnfit(pfn=text)
        return cls(found[1], found[2], found[3], bytes.fromhex(found[4]), f"tar.{found[5]}")

    def __str__(self) -> str:
        """Spell it."""
        owner = f"{self.vo}/{self.group}/{self.account}"
        return f"SB:SandboxSE|/S3/{_BUCKET}/{owner}/sha256:{self.sha256.hex()}.{self.format}"


def check_own(pfn: Pfn, vo: str, account: str, groups: Collection[str]) -> None:
    """Raise `SandboxNotYours` unless a sandbox is named as an account's own: by VO, one of its groups, and name."""
    if pfn.vo != vo or pfn.account != account or pfn.group not in groups:
        raise SandboxNotYours(vo=vo, account=account)


def names_of(vo: str, job: JobSandboxes) -> dict[str, list[str]]:
    """The sandboxes of a job, by their kinds."""
    kinds = {"Input": (job.input, job.input_format), "Output": (job.output, job.output_format)}
    return {
        kind: [str(Pfn(vo, job.group_name, job.account, sha256, packing))] if sha256 and packing else []
        for kind, (sha256, packing) in kinds.items()
    }
