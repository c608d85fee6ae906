"""RSEs in Rucio's words: pure.

A name goes out and comes in as it is, in upper or lower case: Rucio's clients send any, and look at none of them.

To Rucio's clients every RSE is *deterministic*: they compute themselves where they put a file, below the prefix, which
ends with the VO's own area, by an algorithm named as our plugin, or ask (`lfns2pfns`) when they do not know that.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from sancho.compat.rucio.translate import id_of
from sancho.replicas.model import Usage
from sancho.rses import service as rses
from sancho.rses.model import Rse
from sancho.sites.model import Value

USAGE_SOURCE = "rucio"
"""Which of the counts that there may be ours is: that of the catalogue itself."""
SPACE = "MaxSpaceAvailable"
IMPLEMENTATIONS: Mapping[str, str] = {
    "file": "posix", "http": "webdav", "https": "webdav", "dav": "webdav", "davs": "webdav", "root": "xrootd",
    "roots": "xrootd",
}  # fmt: skip
"""The module of Rucio's client that talks to a scheme, where gfal is not the one that does."""
READ, WRITE, DELETE = 4, 2, 1
"""The bits of Rucio's `availability`."""


def protocol_of(rse: Rse, vo_name: str) -> dict[str, Any]:
    """How a VO reaches an RSE: in one way, and below the prefix in its own area."""
    parts = urlsplit(rses.pfn(rse, f"/{quote(vo_name, '')}/"))
    reached = {"read": 1, "write": 1, "delete": 1}
    return {
        "scheme": parts.scheme, "hostname": parts.hostname or "localhost",
        "port": parts.port or 0, "prefix": parts.path,
        "impl": f"rucio.rse.protocols.{IMPLEMENTATIONS.get(parts.scheme, 'gfal')}.Default",
        "domains": {
            "lan": dict(reached), "wan": {**reached, "third_party_copy_read": None, "third_party_copy_write": None},
        },
        "extended_attributes": None,
    }  # fmt: skip


def rse_of(rse: Rse) -> dict[str, Any]:
    """An RSE as the list of all shows it."""
    bits = READ * rse.readable + WRITE * rse.writable + DELETE * rse.deletable
    kind = "TAPE" if rse.attributes.get("istape") is True else "DISK"
    return {
        "id": id_of(rse.rse_id), "rse": rse.name, "rse_type": kind,
        "deterministic": True, "volatile": False, "staging_area": False, "city": None, "region_code": None,
        "country_name": None, "continent": None, "time_zone": None, "ISP": None, "latitude": None, "longitude": None,
        "ASN": None, "availability": bits, "availability_read": rse.readable, "availability_write": rse.writable,
        "availability_delete": rse.deletable, "qos_class": None,
    }  # fmt: skip


def settings_of(rse: Rse, vo_name: str) -> dict[str, Any]:
    """An RSE with all that uploads and downloads need to know of it."""
    return {
        **rse_of(rse), "protocols": [protocol_of(rse, vo_name)], "domain": ["lan", "wan"],
        "lfn2pfn_algorithm": rse.naming, "credentials": None, "sign_url": None, "verify_checksum": True,
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


def distance_of(source: Rse, destination: Rse, distance: int) -> dict[str, Any]:
    """What a transfer between two RSEs costs."""
    return {
        "src_rse_id": id_of(source.rse_id), "dest_rse_id": id_of(destination.rse_id), "distance": distance,
        "ranking": distance,
    }  # fmt: skip


def names_only(expression: str, name: str) -> bool:
    """Say whether an RSE expression means one RSE by its name."""
    return expression.strip() in {name, f"rse={name}"}
