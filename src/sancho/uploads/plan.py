"""Pure decisions about uploads: to which RSE a new file goes."""

from collections.abc import Collection, Mapping, Sequence

from sancho.rses.model import Rse


def choose_rse(
    rses: Sequence[Rse],
    *,
    wanted: Collection[int] = (),
    site_id: int | None = None,
    distances: Mapping[int, int] | None = None,
) -> Rse | None:
    """The writable RSE that suits best: at the site, wanted by the rule, near the site, then by name.

    `wanted` are the RSEs that the file's rule names; `distances` are those from the site to RSEs by id.
    None when no RSE is writable.
    """
    far = distances or {}
    writable = [r for r in rses if r.writable]
    return min(
        writable,
        key=lambda r: (
            r.site_id != site_id if site_id is not None else False,
            r.rse_id not in wanted,
            far.get(r.rse_id, 1_000_000),
            r.name,
        ),
        default=None,
    )
