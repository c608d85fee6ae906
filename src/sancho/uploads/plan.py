"""Pure decisions about uploads: to which RSE a new file goes."""

from collections.abc import Collection, Mapping, Sequence

from sancho.rses.model import Rse


def choose_rse(
    rses: Sequence[Rse],
    *,
    wanted: Collection[int] = (),
    site_id: int | None = None,
    distances: Mapping[tuple[int, int], int] | None = None,
) -> Rse | None:
    """The writable RSE that suits best: at the site, wanted by the rule, near the site, then by name.

    `wanted` are the RSEs that the file's rule names; `distances` maps (source, destination) RSE ids.
    None when no RSE is writable.
    """
    here = [r.rse_id for r in rses if r.site_id == site_id]

    def far(rse: Rse) -> int:
        known = [d for source in here if (d := (distances or {}).get((source, rse.rse_id))) is not None]
        return min(known, default=1_000_000)

    writable = [r for r in rses if r.writable]
    return min(
        writable,
        key=lambda r: (r.site_id != site_id if site_id is not None else False, r.rse_id not in wanted, far(r), r.name),
        default=None,
    )
