"""RSEs in Rucio's words: pure.

A name goes out and comes in as it is, in upper or lower case: Rucio's clients send any, and look at none of them.

To Rucio's clients every RSE is *deterministic*: they compute themselves where they put a file, below the prefix, which
ends with the VO's own area, by an algorithm named as our plugin, or ask (`lfns2pfns`) when they do not know that.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlsplit

from sancho.compat.rucio.rses_wire import PLACES
from sancho.compat.rucio.translate import date_of, id_of
from sancho.replicas.model import Usage
from sancho.rses import service as rses
from sancho.rses.model import Protocol, Report, Rse, everything
from sancho.sites.model import Value
from sancho.vos.model import Spec

USAGE_SOURCE = "rucio"
"""Which of the counts that there may be ours is: that of the catalogue itself."""
IMPLEMENTATIONS: Mapping[str, str] = {
    "file": "posix", "https": "webdav", "root": "xrootd", "roots": "xrootd",
}  # fmt: skip
"""The module of Rucio's client that talks to a scheme, where gfal is not the one that does: its WebDAV is https."""
READ, WRITE, DELETE = 4, 2, 1
"""The bits of Rucio's `availability`."""


PLUGINS: Mapping[str, str] = {
    "file": "posix", "http": "webdav", "https": "webdav", "dav": "webdav", "davs": "webdav",
}  # fmt: skip
"""Our plugin that speaks a scheme."""


SIGNED = "https"
"""The scheme whose URLs Rucio's client lets be signed."""


def protocol_of(rse: Rse, vo_name: str, *, signs: bool = False) -> dict[str, Any]:
    """How a VO reaches an RSE by its first protocol: below the prefix, in its own area.

    A file is not renamed by a URL that is `signs`: that would be another path.
    """
    parts = urlsplit(rses.pfn(rse, f"/{quote(vo_name, '')}/"))
    way = "NoRename" if signs and parts.scheme == SIGNED else "Default"
    return {
        "scheme": parts.scheme, "hostname": parts.hostname or "localhost",
        "port": parts.port or 0, "prefix": parts.path,
        "impl": f"rucio.rse.protocols.{IMPLEMENTATIONS.get(parts.scheme, 'gfal')}.{way}",
        "domains": {
            domain: {op: rse.domains.get(domain, {}).get(op) for op in ops}
            for domain, ops in everything(1).items()
        },
        "extended_attributes": None,
    }  # fmt: skip


def protocols_of(
    rse: Rse, vo_name: str, scheme: str | None = None, *, signing: Sequence[Rse] = ()
) -> list[dict[str, Any]]:
    """All the ways in which a VO reaches an RSE, or those of a scheme; `signing` are those whose URLs are signed."""
    ways = [rses.by(rse, protocol) for protocol in rse.protocols]
    said = [protocol_of(way, vo_name, signs=way in signing) for way in ways]
    return [one for one in said if scheme in (None, one["scheme"])]


def prefix_of(scheme: str, hostname: str, port: int, path: str, vo_name: str) -> str:
    """The prefix of ours that a protocol of Rucio says; a path that ends with the VO's own area is above it."""
    above = f"/{path.strip('/')}".removesuffix(f"/{quote(vo_name, '')}").rstrip("/")
    if scheme == "file":
        return f"file://{above or '/'}"
    return f"{scheme}://{hostname}{f':{port}' if port else ''}{above}"


def port_of(prefix: str) -> int:
    """The port of a URL, said or implied by its scheme."""
    return rses.port_of(urlsplit(prefix))


def moved(prefix: str, path: str, vo_name: str) -> str:
    """A prefix at the same host and port, with another path."""
    parts = urlsplit(prefix)
    return prefix_of(parts.scheme, parts.netloc, 0, path, vo_name)


def meant(prefix: str, scheme: str, hostname: str | None, port: int | None) -> bool:
    """Say whether a protocol of ours is one that is named by its scheme, or its host and port too."""
    parts = urlsplit(prefix)
    return (
        parts.scheme == scheme
        and (hostname is None or (parts.hostname or "localhost") == hostname)
        and (port is None or rses.port_of(parts) == port)
    )


def first_spec(rse: Rse) -> Spec:
    """What the first document of an RSE says that had none: what it is already."""
    spec = with_ways({"site": rse.site}, [_way(protocol) for protocol in rse.protocols])
    return {**spec, "audience": rse.audience, "attributes": rse.attributes, "naming": rse.naming}


def _way(protocol: Protocol) -> Spec:
    return {"plugin": protocol.plugin, "prefix": protocol.prefix, "settings": protocol.settings}


WAY = ("plugin", "prefix", "settings", "domains")
"""What a document says of a protocol."""


def ways_of(spec: Spec) -> list[Spec]:
    """The protocols in the document of an RSE, the first one first."""
    first = {key: spec[key] for key in WAY if spec.get(key)}
    return [first, *spec.get("protocols", [])] if first else []


def with_ranks(way: Spec, position: int, said: Mapping[str, Mapping[str, int | None]]) -> Spec:
    """A protocol that is for these operations, or not for them; for others as before."""
    before = way.get("domains") or everything(position)
    domains = {name: {**before.get(name, {}), **said.get(name, {})} for name in everything(1)}
    ranks = {name: {op: rank for op, rank in each.items() if rank} for name, each in domains.items()}
    return {**way, "domains": ranks}


def with_ways(spec: Spec, ways: Sequence[Spec]) -> Spec:
    """The document of an RSE with these protocols instead of its own."""
    kept = {key: value for key, value in spec.items() if key not in {*WAY, "protocols"}}
    first, others = (ways[0], list(ways[1:])) if ways else ({}, [])
    return {**kept, **first, "protocols": others} if others else {**kept, **first}


def rse_of(rse: Rse) -> dict[str, Any]:
    """An RSE as the list of all shows it."""
    bits = READ * rse.readable + WRITE * rse.writable + DELETE * rse.deletable
    kind = "TAPE" if rse.attributes.get("istape") is True else "DISK"
    return {
        "id": id_of(rse.rse_id), "rse": rse.name, "rse_type": kind,
        "deterministic": True, "volatile": False, "staging_area": False,
        **{name: rse.attributes.get(name) for name in PLACES}, "availability": bits,
        "availability_read": rse.readable, "availability_write": rse.writable,
        "availability_delete": rse.deletable, "qos_class": rse.attributes.get("qos"),
    }  # fmt: skip


def settings_of(rse: Rse, vo_name: str, scheme: str | None = None, *, signing: Sequence[Rse] = ()) -> dict[str, Any]:
    """An RSE with all that uploads and downloads need to know of it; of its protocols all, or those of a scheme.

    With one among `signing`, clients have every URL of the RSE signed, and use no token or certificate there.
    """
    signer = next((way.plugin for way in signing if way.prefix.startswith(f"{SIGNED}:")), None)
    return {
        **rse_of(rse), "protocols": protocols_of(rse, vo_name, scheme, signing=signing), "domain": ["lan", "wan"],
        "lfn2pfn_algorithm": rse.naming, "credentials": None, "sign_url": signer, "verify_checksum": True,
    }  # fmt: skip


def attributes_of(rse: Rse) -> dict[str, Value]:
    """What expressions may ask of an RSE: its own attributes, its site, and its name, which is true of it alone."""
    return {**rse.attributes, "site": rse.site, rse.name: True}


def usage_of(rse: Rse, usage: Usage | None, updated_at: str) -> dict[str, Any]:
    """What the VO has on an RSE; how much room the storage has is not known."""
    size, files = (usage.size, usage.files) if usage else (0, 0)
    return {
        "rse_id": id_of(rse.rse_id), "rse": rse.name, "source": USAGE_SOURCE, "used": size, "files": files,
        "free": None, "total": size, "updated_at": updated_at,
    }  # fmt: skip


def report_of(rse: Rse, report: Report) -> dict[str, Any]:
    """What a source has reported of an RSE."""
    return {
        "rse_id": id_of(rse.rse_id), "rse": rse.name, "source": report.source, "used": report.used,
        "files": report.files, "free": report.free, "total": report.used + (report.free or 0),
        "updated_at": date_of(report.reported_at),
    }  # fmt: skip


def distance_of(source: Rse, destination: Rse, distance: int) -> dict[str, Any]:
    """What a transfer between two RSEs costs."""
    return {
        "src_rse_id": id_of(source.rse_id), "dest_rse_id": id_of(destination.rse_id), "distance": distance,
        "ranking": distance,
    }  # fmt: skip
