"""The SQL of placement: what VOs allow, and which inputs may be copied. Writes `data_placement`."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sancho.kit.db import Connection, execute, fetch, fetch_rows, find
from sancho.placement.model import Terms

SAMPLED = 2000
"""Attempts that began of late that are looked at, the newest ones."""


class Candidate(NamedTuple):
    """A queue of which jobs wait, and the DIDs that their inputs are named by."""

    task_queue_id: int
    did_ids: list[int]


async def terms(conn: Connection, vo: int) -> Terms | None:
    """What a VO allows; None when nothing is copied for it."""
    return await find(
        conn,
        Terms,
        "SELECT most, full_after, lifetime, rse_expression FROM data_placement WHERE vo = %(vo)s",
        {"vo": vo},
    )


async def put_terms(conn: Connection, vo: int, said: Terms) -> None:
    """Say what a VO allows from now on."""
    await execute(
        conn,
        """
        INSERT INTO data_placement (vo, most, full_after, lifetime, rse_expression)
        VALUES (%(vo)s, %(most)s, %(full_after)s, %(lifetime)s, %(expression)s)
        ON CONFLICT (vo) DO UPDATE SET most = excluded.most, full_after = excluded.full_after,
                                       lifetime = excluded.lifetime, rse_expression = excluded.rse_expression
        """,
        {
            "vo": vo, "most": said.most, "full_after": said.full_after, "lifetime": said.lifetime,
            "expression": said.rse_expression,
        },
    )  # fmt: skip


async def delete_terms(conn: Connection, vo: int) -> None:
    """Let nothing be copied for a VO any more."""
    await execute(conn, "DELETE FROM data_placement WHERE vo = %(vo)s", {"vo": vo})


async def candidates(conn: Connection, vo: int, most: int) -> list[Candidate]:
    """Queues in which jobs wait with inputs, all of their VO, none of which was copied for those who want it now.

    Of more than `most` some, other ones each time.
    """
    return await fetch(
        conn,
        Candidate,
        """
        SELECT q.task_queue_id, i.roots AS did_ids
          FROM task_queue q
          JOIN input_set i ON i.input_set_id = q.input_set_id AND i.vo = q.vo AND i.ready AND i.size > 0
         WHERE q.vo = %(vo)s AND q.active
           AND (SELECT sum(s.waiting) FROM task_queue_slot s
                 WHERE s.task_queue_id = q.task_queue_id AND s.vo = q.vo) > 0
           AND NOT EXISTS (SELECT FROM shared_input h WHERE h.input_set_id = i.input_set_id AND h.vo = i.vo)
           AND (SELECT count(*) FROM demand d
                 WHERE d.did_id = ANY(i.roots) AND d.vo = i.vo AND d.placed_at IS NULL) = cardinality(i.roots)
         ORDER BY random() LIMIT %(most)s
        """,
        {"vo": vo, "most": most},
    )


async def began(
    conn: Connection, vo: int, queue_ids: Sequence[int], looked: timedelta
) -> dict[int, tuple[int, datetime]]:  # fmt: skip
    """How many jobs of queues began of late, and when the first of them did, among the newest attempts of the VO."""
    rows = await fetch_rows(
        conn,
        """
        SELECT j.task_queue_id, count(*), min(a.started_at)
          FROM (SELECT a.job_id, a.started_at FROM attempt a
                 WHERE a.vo = %(vo)s AND a.started_at > now() - %(looked)s::interval
                 ORDER BY a.started_at DESC LIMIT %(sampled)s) a
          JOIN job j ON j.job_id = a.job_id AND j.vo = %(vo)s
         WHERE j.task_queue_id = ANY(%(queues)s::int[])
         GROUP BY j.task_queue_id
        """,
        {"vo": vo, "queues": list(queue_ids), "looked": looked, "sampled": SAMPLED},
    )
    return {queue_id: (count, first) for queue_id, count, first in rows}


async def pilots(conn: Connection, ce_ids: Sequence[int]) -> dict[int, int]:
    """How many pilots these CEs have that have begun; the transaction serves the VOs whose pilots are to be seen."""
    return dict(
        await fetch_rows(
            conn,
            """
            SELECT ce_id, count(*) FROM pilot
             WHERE ce_id = ANY(%(ce_ids)s::int[]) AND ended_at IS NULL AND state = 'R' GROUP BY 1
            """,
            {"ce_ids": list(ce_ids)},
        )
    )
