"""Lists of what jobs want: how much of it is there, where, and what is done about the rest."""

from dataclasses import replace

from sancho.kit.db import Connection, in_time
from sancho.rules.model import Demanded, Lacking
from sancho.rules.store import demanded

LONGEST = 10
MOST_WALKED = 50_000
"""Files that one page looks at; of what has more than so many, only its own numbers are told."""
FASTER = "Ask for fewer at once."


async def list_demand(
    conn: Connection, vo: int, *, after: tuple[int, int] = (-(2**62), 0), limit: int
) -> tuple[list[Demanded], tuple[int, int] | None]:  # fmt: skip
    """What jobs of a VO want, the longest wanted first, and behind which place the next page begins.

    A page has as many DIDs as were asked for, or fewer where they have very many files; the last may be empty. Raises
    `TooSlow`.
    """
    async with in_time(conn, LONGEST, hint=FASTER):
        rows = await demanded.page(conn, vo, after=after, most=limit + 1, files=MOST_WALKED)
        cut = rows[:limit]
        roots = [one.did_id for _, one in cut if one.files <= MOST_WALKED]
        lacking = {one.root: one for one in await demanded.lacking(conn, vo, roots)} if roots else {}
        places = await demanded.where(conn, vo, roots) if roots else {}
    found = [
        replace(
            one, at=tuple(places.get(one.did_id, ())),
            lacking=lacking.get(one.did_id, Lacking(root=one.did_id)) if one.did_id in set(roots) else None,
        )
        for _, one in cut
    ]  # fmt: skip
    more = len(rows) > limit or sum(one.files for one in found) >= MOST_WALKED
    return found, cut[-1][0] if cut and more else None
