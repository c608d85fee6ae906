"""The sites that a grid of one machine begins with: two, each with a storage and a CE, for every VO.

Written as the documents that `sancho apply` takes, into `topology.yaml`, for the operator to keep and to change.
"""

import os
from collections.abc import Sequence
from typing import Any

import yaml

from sancho.local.home import SITES, Config, Home, StorageConfig

HEAD = "# The sites this grid began with. Change it and `sancho apply -f` it; `sancho up` does not read it again.\n"
Documents = list[dict[str, Any]]


def storages(ports: Sequence[int]) -> dict[str, StorageConfig]:
    """Return the storages of a new grid, one for each site, on these ports."""
    return {
        f"disk-{site.removeprefix('site-')}": StorageConfig(site=site, port=port)
        for site, port in zip(SITES, ports, strict=True)
    }


def documents(home: Home, config: Config) -> Documents:
    """Return the sites, storages, CEs and links of a new grid."""
    made: Documents = [{"kind": "Site", "name": site, "spec": {}} for site in SITES]
    for site in SITES:
        made.append({"kind": "ComputeElement", "name": _ce(site), "spec": _ce_spec(home, site)})
    for name, storage in config.storages.items():
        spec = {
            "site": storage.site,
            "plugin": "webdav",
            "prefix": config.storage_url(name),
            "attributes": {"tier": 1},
            "distances": {other: 1 for other in config.storages if other != name},
            "settings": {"signed_urls": True, **({"ca_file": str(home.ca_file)} if config.tls else {})},
        }
        made.append({"kind": "RSE", "name": name, "spec": spec})
    return made


def grants(config: Config, vos: Sequence[str]) -> Documents:
    """Return what lets VOs use everything at the sites, what comes there later too."""
    to = sorted({*vos, *config.granted})
    return [
        {"kind": "Grant", "name": site, "spec": {"resource": {"kind": "Site", "name": site}, "to": to}}
        for site in SITES
    ]


def as_yaml(made: Documents) -> str:
    """Return documents as a file for `sancho apply -f`."""
    return HEAD + yaml.safe_dump_all(made, sort_keys=False, explicit_start=True)


def _ce(site: str) -> str:
    return f"ce-{site.removeprefix('site-')}"


def _ce_spec(home: Home, site: str) -> dict[str, Any]:
    cores = os.cpu_count() or 1
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "site": site,
        "plugin": "local",
        "cores": 1,
        "memory": memory // (2 * cores),
        "walltime": "12h",
        "max_pilots": max(2, cores // len(SITES)),
        "settings": {"folder": str(home.ce(_ce(site)))},
    }
