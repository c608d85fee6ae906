"""The door to the topology: `topology` has what documents make, `downtimes` when it is not to be used."""

from sancho.sites.service.downtimes import announce, downtimes, end, follow
from sancho.sites.service.topology import (
    COMPUTE_ELEMENT,
    GRANT,
    SITE,
    Attributes,
    ResourceName,
    VoName,
    ce,
    ces,
    check_plugin,
    drop_resources,
    get_ce,
    get_site,
    put_resources,
    site_ids,
    sites,
    sites_of,
    things_at_site,
)

__all__ = [
    "COMPUTE_ELEMENT", "GRANT", "SITE", "Attributes", "ResourceName", "VoName", "announce", "ce", "ces", "check_plugin",
    "downtimes", "drop_resources", "end", "follow", "get_ce", "get_site", "put_resources", "site_ids", "sites",
    "sites_of", "things_at_site",
]  # fmt: skip
