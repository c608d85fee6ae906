"""Replicas in Rucio's words: pure."""

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from json.encoder import encode_basestring
from typing import Any, NamedTuple
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr

from pydantic_core import to_json

from sancho.compat.rucio.replicas_wire import Choice
from sancho.compat.rucio.translate import id_of
from sancho.replicas.model import ArchiveCopies, DatasetCopy, FileCopies, ReplicaState
from sancho.rses import service as rses
from sancho.rses.model import Domain, Operation, Rse

STATES: Mapping[ReplicaState, str] = {
    ReplicaState.COPYING: "COPYING", ReplicaState.AVAILABLE: "AVAILABLE",
    ReplicaState.UNAVAILABLE: "TEMPORARY_UNAVAILABLE", ReplicaState.BAD: "BAD", ReplicaState.DELETING: "BEING_DELETED",
}  # fmt: skip
METALINK_BEGINS = b'<?xml version="1.0" encoding="UTF-8"?>\n<metalink xmlns="urn:ietf:params:xml:ns:metalink">\n'
METALINK_ENDS = b"</metalink>\n"
HERE, FAR = (0, 0), (2, 0)
ZIP = re.compile(r"\.zip(\.\d+)?$", re.IGNORECASE)


@dataclass(frozen=True)
class There:
    """The RSEs whose replicas are listed, what was asked of the list, and `rses.service.nearness` of the reader."""

    known: Mapping[int, Rse]
    rank: Mapping[int, tuple[int, int]]
    choice: Choice

    @cached_property
    def ways(self) -> Mapping[int, tuple[str, list[tuple[Rse, str]]]]:
        """How far each RSE is from the reader, and the RSE as it is reached from there, by one protocol each.

        With how the URLs of all that lies there begin.
        """
        found = {i: _ways(rse, self.rank.get(i, FAR), self.choice) for i, rse in self.known.items()}
        return {i: (domain, [(rse, rses.pfn(rse, "")) for rse in ways]) for i, (domain, ways) in found.items()}

    @cached_property
    def order(self) -> Mapping[int, int]:
        """The RSEs by distance, then by name."""
        ranked = sorted(self.known.values(), key=lambda rse: (self.rank.get(rse.rse_id, FAR), rse.name))
        return {rse.rse_id: n for n, rse in enumerate(ranked)}


class Found(NamedTuple):
    """A replica, and a URL that it has."""

    rse: Rse
    state: ReplicaState
    path: str
    url: str
    domain: str = "wan"
    extract: bool = False
    """It is that of an archive, out of which the reader has to take the file."""


def fits(rse: Rse, choice: Choice) -> bool:
    """Say whether replicas on an RSE are to be listed, as far as it depends on the RSE."""
    ways = _ways(rse, FAR, choice)[1] or _ways(rse, HERE, choice)[1]
    return bool(ways) and (choice.ignore_availability or rse.readable)


def _ways(rse: Rse, rank: tuple[int, int], choice: Choice) -> tuple[str, list[Rse]]:
    """How far the reader is, at the site of the RSE or wherever it says that it is; and what is reached from there."""
    domain = choice.domain if choice.domain in ("lan", "wan") else "lan" if rank == HERE else "wan"
    protocols = rse.protocols_for(Operation.READ, Domain(domain), choice.schemes)
    return domain, [rses.by(rse, protocol) for protocol in protocols]


def find(file: FileCopies, vo_name: str, there: There) -> list[Found]:
    """The replicas of a file in the order that was asked for: the nearest first, by name of their RSE, or at random.

    Those of archives that it lies in come behind its own.
    """
    found, choice = _copies(file, vo_name, there), there.choice
    for archive in file.archives:
        found += [_inside(one, archive.name, file.name) for one in _copies(archive, vo_name, there)]
    if choice.sort == "random" or choice.nrandom is not None:
        random.shuffle(found)
    most = min((n for n in (choice.nrandom, choice.limit) if n is not None), default=len(found))
    return found[:most]


def _copies(file: FileCopies | ArchiveCopies, vo_name: str, there: There) -> list[Found]:
    found: list[Found] = []
    implied = ""  # where it lies on every RSE that says nothing else
    for i, state, said in sorted(file.copies, key=lambda copy: there.order[copy[0]]):
        if said is None:
            implied = implied or rses.place(there.known[i], vo_name, file.scope, file.did_id, file.name).path
        path = said or implied
        domain, ways = there.ways[i]
        found += [Found(way, state, path, begins + path, domain) for way, begins in ways]
    return found


def _inside(archive: Found, archive_name: str, name: str) -> Found:
    """A replica of an archive as one of a file in it: XRootD looks into zip files by itself."""
    if archive.url.partition(":")[0] in ("root", "xroot", "roots") and ZIP.search(archive_name):
        more = "&" if "?" in archive.url else "?"
        return archive._replace(url=f"{archive.url}{more}xrdcl.unzip={quote(name)}", domain="zip")
    return archive._replace(domain="zip", extract=True)


def line_of(file: FileCopies, found: Sequence[Found], choice: Choice) -> bytes:
    """A file with its replicas, as a line of JSON, which is put together here: they may be a million."""
    pfns: dict[str, str] = {}
    urls: dict[str, list[str]] = {}
    states: dict[str, str] = {}
    for n, one in enumerate(found, 1):
        url = encode_basestring(one.url)
        pfns[url] = f"{_told(one.rse.rse_id, one.rse.name, one.domain, one.extract)}{n}}}"
        urls.setdefault(one.rse.name, []).append(url)
        states[one.rse.name] = STATES[one.state]
    begins = to_json({
        "scope": file.scope, "name": file.name, "bytes": file.size, "adler32": file.adler32, "md5": file.md5,
        **({"parents": file.parents} if choice.resolve_parents else {}),
    }).decode()  # fmt: skip
    told = ",".join([f"{url}:{said}" for url, said in pfns.items()])
    rses_ = ",".join([f"{encode_basestring(name)}:[{','.join(there)}]" for name, there in urls.items()])
    states_ = ",".join([f'{encode_basestring(name)}:"{state}"' for name, state in states.items()])
    return f'{begins[:-1]},"pfns":{{{told}}},"rses":{{{rses_}}},"states":{{{states_}}}}}\n'.encode()


@lru_cache(maxsize=10_000)
def _told(rse_id: int, rse: str, domain: str, extract: bool) -> str:
    """What is told of every replica on an RSE that is reached so; its priority has to follow."""
    said = {
        "rse_id": id_of(rse_id), "rse": rse, "type": "DISK", "domain": domain, "volatile": False,
        "client_extract": extract,
    }  # fmt: skip
    return f'{to_json(said).decode()[:-1]},"priority":'


def metalink_of(file: FileCopies, found: Sequence[Found], choice: Choice) -> str:
    """A file with its replicas as an element of a Metalink document (RFC 5854, with Rucio's own elements in it)."""
    did = f"{file.scope}:{file.name}"
    lines = [f" <file name={quoteattr(file.name)}>", f"  <identity>{escape(did)}</identity>"]
    if file.adler32 is not None:
        lines.append(f'  <hash type="adler32">{file.adler32}</hash>')
    if file.md5 is not None:
        lines.append(f'  <hash type="md5">{file.md5}</hash>')
    lines += [f"  <size>{file.size}</size>", f"  <glfn name={quoteattr(did)}></glfn>"]
    if choice.resolve_parents:
        lines += ["  <parents>", *(f"   <did>{escape(parent)}</did>" for parent in file.parents), "  </parents>"]
    lines += [
        f"  <url location={quoteattr(one.rse.name)} domain={quoteattr(one.domain)}"
        f' priority="{n}" client_extract="{str(one.extract).lower()}">{escape(one.url)}</url>'
        for n, one in enumerate(found, 1)
    ]
    return "\n".join([*lines, " </file>", ""])


def dataset_of(copy: DatasetCopy, rse: str) -> dict[str, Any]:
    """What an RSE has of a dataset. When that changed last, and when it was read, is not kept."""
    whole = copy.files == copy.total_files
    return {
        "scope": copy.scope, "name": copy.name, "rse": rse, "rse_id": id_of(copy.rse_id),
        "bytes": copy.total_size, "length": copy.total_files, "available_bytes": copy.size,
        "available_length": copy.files, "state": "AVAILABLE" if whole else "UNAVAILABLE",
        "created_at": None, "updated_at": None, "accessed_at": None,
    }  # fmt: skip
