"""Pure decisions about uploads: to which RSE a new file goes."""

import zlib
from collections.abc import Collection, Mapping, Sequence

from sancho.rses.model import Domain, Operation, Rse

SPOKEN = frozenset({"http", "https", "dav", "davs"})
"""Schemes of URLs that clients and pilots can PUT to; others are for transfer tools next to the storage."""
FAR = 1_000_000
"""How far an RSE counts that has no direct link."""


def choose_rse(
    rses: Sequence[Rse],
    did: str,
    *,
    wanted: Collection[int] = (),
    site_id: int | None = None,
    distances: Mapping[int, int] | None = None,
) -> Rse | None:
    """The writable RSE that suits best: in the client's reach, at the site, wanted by the rule, near the site.

    In reach is what has a URL of a scheme that clients and pilots speak; only when no RSE has, another will do, for
    who shares its file system. Of those that suit equally well the file's DID chooses one: always the same for the
    same RSEs, and files are spread evenly. `wanted` are the RSEs that the file's rule names; `distances` are those
    from the site to RSEs by id. None when no RSE is writable.
    """
    far = distances or {}

    def unfit(rse: Rse) -> tuple[bool, bool, bool, int]:
        return (
            not rse.protocols_for(Operation.WRITE, Domain.WAN, SPOKEN),
            site_id is not None and rse.site_id != site_id,
            rse.rse_id not in wanted,
            far.get(rse.rse_id, FAR),
        )

    writable = [rse for rse in rses if rse.writable]
    if not writable:
        return None
    best = min(map(unfit, writable))
    equal = sorted((rse for rse in writable if unfit(rse) == best), key=lambda rse: rse.name)
    return equal[zlib.crc32(did.encode()) % len(equal)]
