"""Replicas in Rucio's words: pure."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from sancho.compat.rucio.replicas_wire import Choice
from sancho.compat.rucio.translate import id_of, scheme_of
from sancho.replicas.model import DatasetCopy, FileCopies, ReplicaState
from sancho.rses import service as rses
from sancho.rses.model import Rse

STATES: Mapping[ReplicaState, str] = {
    ReplicaState.COPYING: "COPYING", ReplicaState.AVAILABLE: "AVAILABLE",
    ReplicaState.UNAVAILABLE: "TEMPORARY_UNAVAILABLE", ReplicaState.BAD: "BAD", ReplicaState.DELETING: "BEING_DELETED",
}  # fmt: skip
METALINK_BEGINS = b'<?xml version="1.0" encoding="UTF-8"?>\n<metalink xmlns="urn:ietf:params:xml:ns:metalink">\n'
METALINK_ENDS = b"</metalink>\n"
HERE, FAR = (0, 0), (2, 0)


@dataclass(frozen=True)
class There:
    """The RSEs whose replicas are to be listed, and what to sort them by: `rses.service.nearness` of the reader."""

    known: Mapping[int, Rse]
    rank: Mapping[int, tuple[int, int]]


@dataclass(frozen=True)
class Found:
    """A replica, and the URL that it has."""

    rse: Rse
    state: ReplicaState
    url: str
    domain: str = "wan"


def fits(rse: Rse, choice: Choice) -> bool:
    """Say whether replicas on an RSE are to be listed, as far as it depends on the RSE."""
    return (choice.schemes is None or scheme_of(rse) in choice.schemes) and (choice.ignore_availability or rse.readable)


def find(file: FileCopies, vo_name: str, there: There, choice: Choice) -> list[Found]:
    """The replicas of a file in the order that was asked for: the nearest first, by name of their RSE, or at random."""
    known = there.known
    found = [
        Found(known[i], state, _pfn(known[i], vo_name, file, path), _domain(there.rank.get(i, FAR), choice))
        for i, state, path in file.copies
    ]
    found.sort(key=lambda one: (there.rank.get(one.rse.rse_id, FAR), one.rse.name))
    if choice.sort == "random" or choice.nrandom is not None:
        random.shuffle(found)
    most = min((n for n in (choice.nrandom, choice.limit) if n is not None), default=len(found))
    return found[:most]


def _pfn(rse: Rse, vo_name: str, file: FileCopies, path: str | None) -> str:
    return rses.pfn(rse, rses.place(rse, vo_name, file.scope, file.did_id, file.name, path).path)


def replicas_of(file: FileCopies, found: Sequence[Found], choice: Choice) -> dict[str, Any]:
    """A file with its replicas."""
    said: dict[str, Any] = {
        "scope": file.scope, "name": file.name, "bytes": file.size, "adler32": file.adler32, "md5": None,
        "pfns": {
            one.url: {
                "rse_id": id_of(one.rse.rse_id), "rse": one.rse.name, "type": "DISK", "domain": one.domain,
                "volatile": False, "client_extract": False, "priority": n,
            }
            for n, one in enumerate(found, 1)
        },
        "rses": {one.rse.name: [one.url] for one in found},
        "states": {one.rse.name: STATES[one.state] for one in found},
    }  # fmt: skip
    return {**said, "parents": list(file.parents)} if choice.resolve_parents else said


def metalink_of(file: FileCopies, found: Sequence[Found], choice: Choice) -> str:
    """A file with its replicas as an element of a Metalink document (RFC 5854, with Rucio's own elements in it)."""
    did = f"{file.scope}:{file.name}"
    lines = [f" <file name={quoteattr(file.name)}>", f"  <identity>{escape(did)}</identity>"]
    if file.adler32 is not None:
        lines.append(f'  <hash type="adler32">{file.adler32}</hash>')
    lines += [f"  <size>{file.size}</size>", f"  <glfn name={quoteattr(did)}></glfn>"]
    if choice.resolve_parents:
        lines += ["  <parents>", *(f"   <did>{escape(parent)}</did>" for parent in file.parents), "  </parents>"]
    lines += [
        f"  <url location={quoteattr(one.rse.name)} domain={quoteattr(one.domain)}"
        f' priority="{n}" client_extract="false">{escape(one.url)}</url>'
        for n, one in enumerate(found, 1)
    ]
    return "\n".join([*lines, " </file>", ""])


def _domain(rank: tuple[int, int], choice: Choice) -> str:
    """How far the reader is: at the site of the RSE, or wherever it says that it is."""
    if choice.domain in ("lan", "wan"):
        return choice.domain
    return "lan" if rank == HERE else "wan"


def dataset_of(copy: DatasetCopy, rse: str) -> dict[str, Any]:
    """What an RSE has of a dataset. When that changed last, and when it was read, is not kept."""
    whole = copy.files == copy.total_files
    return {
        "scope": copy.scope, "name": copy.name, "rse": rse, "rse_id": id_of(copy.rse_id),
        "bytes": copy.total_size, "length": copy.total_files, "available_bytes": copy.size,
        "available_length": copy.files, "state": "AVAILABLE" if whole else "UNAVAILABLE",
        "created_at": None, "updated_at": None, "accessed_at": None,
    }  # fmt: skip
