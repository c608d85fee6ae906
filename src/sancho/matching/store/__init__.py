"""The SQL of matching: what the board is made of. Nothing here writes but averages; `choosing` says what may be had."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, LiteralString

from sancho.jobs.model import Machine, Requirement, Slot
from sancho.kit.db import Connection, execute, fetch_rows, fetch_values
from sancho.kit.documents import read
from sancho.matching.model import Inputs, Label, Limit, LimitKey, Owner, Queue, QueueKey, SetKey, Weights


async def queues(
    conn: Connection, known: Mapping[QueueKey, Queue], only: Sequence[QueueKey] | None = None
) -> list[Queue]:
    """Task queues with waiting jobs, of the VOs served: all, or of these `only` those. What is `known` is not read."""
    rows = await fetch_rows(
        conn,
        """
        SELECT q.vo, q.task_queue_id, w.waiting, q.group_id, q.account_id, q.type, q.priority, q.input_set_id,
               CASE WHEN (q.vo, q.task_queue_id) IN (
                         SELECT * FROM unnest(%(known_vos)s::smallint[], %(known)s::int[]))
                    THEN NULL ELSE q.requirements END
          FROM task_queue q
         CROSS JOIN LATERAL (
               SELECT sum(s.waiting)::bigint AS waiting FROM task_queue_slot s
                WHERE s.task_queue_id = q.task_queue_id AND s.vo = q.vo) w
         WHERE q.active AND w.waiting > 0 AND q.requirements IS NOT NULL
           AND (%(all)s OR (q.vo, q.task_queue_id) IN (
               SELECT * FROM unnest(%(only_vos)s::smallint[], %(only)s::int[])))
        """,
        {
            "known_vos": [vo for vo, _ in known], "known": [queue_id for _, queue_id in known],
            "all": only is None, "only_vos": [vo for vo, _ in only or ()], "only": [q for _, q in only or ()],
        },
    )  # fmt: skip
    return [_queue(known, row) for row in rows]


async def queue(conn: Connection, vo: int, task_queue_id: int) -> Queue | None:
    """A task queue, whether any job waits in it or not."""
    rows = await fetch_rows(
        conn,
        """
        SELECT q.vo, q.task_queue_id, w.waiting, q.group_id, q.account_id, q.type, q.priority, q.input_set_id,
               q.requirements
          FROM task_queue q
         CROSS JOIN LATERAL (
               SELECT coalesce(sum(s.waiting), 0)::bigint AS waiting FROM task_queue_slot s
                WHERE s.task_queue_id = q.task_queue_id AND s.vo = q.vo) w
         WHERE q.task_queue_id = %(id)s AND q.vo = %(vo)s
        """,
        {"vo": vo, "id": task_queue_id},
    )
    return _queue({}, rows[0]) if rows else None


def _queue(known: Mapping[QueueKey, Queue], row: tuple[Any, ...]) -> Queue:
    vo, queue_id, waiting, group_id, account_id, kind, priority, input_set_id, requirements = row
    ways = known[vo, queue_id].ways if requirements is None else tuple(read(Requirement, way) for way in requirements)
    return Queue(
        key=(vo, queue_id), owner=Owner(vo=vo, group_id=group_id, account_id=account_id), type=kind,
        priority=priority, ways=ways, input_set_id=input_set_id, waiting=waiting,
    )  # fmt: skip


async def inputs(conn: Connection, sets: Sequence[SetKey]) -> dict[SetKey, Inputs]:
    """Where the files of these input sets can be read, in bytes by site, how many there are, and since when jobs wait.

    A file counts once at a site. What other VOs share is as far as it was seen when it was last looked at.
    """
    rows = await fetch_rows(
        conn,
        """
        SELECT w.vo, w.input_set_id, l.site_ids, l.sizes, q.since,
               (SELECT s.size FROM input_set s WHERE s.input_set_id = w.input_set_id AND s.vo = w.vo)
          FROM unnest(%(vos)s::smallint[], %(sets)s::bigint[]) AS w (vo, input_set_id)
         CROSS JOIN LATERAL (
               SELECT array_agg(s.site_id) AS site_ids, array_agg(s.size) AS sizes
                 FROM (SELECT f.site_id, sum(f.size)::bigint AS size
                         FROM (SELECT DISTINCT rse.site_id, i.did_id, r.size
                                 FROM input_set_did i
                                CROSS JOIN LATERAL (
                                      SELECT r.rse_id, r.size FROM replica r
                                       WHERE r.did_id = i.did_id AND r.vo = i.vo AND r.state = 'A') r
                                 JOIN rse ON rse.rse_id = r.rse_id AND rse.readable AND NOT rse.tape
                                WHERE i.input_set_id = w.input_set_id AND i.vo = w.vo
                                UNION ALL
                               SELECT p.site_id, NULL, p.size
                                 FROM shared_input i CROSS JOIN unnest(i.site_ids, i.sizes) AS p (site_id, size)
                                WHERE i.input_set_id = w.input_set_id AND i.vo = w.vo) f
                        GROUP BY f.site_id HAVING sum(f.size) > 0) s) l
         CROSS JOIN LATERAL (
               SELECT min(j.changed_at) AS since
                 FROM task_queue q
                CROSS JOIN LATERAL (
                      SELECT f.job_id FROM waiting_job f
                       WHERE f.task_queue_id = q.task_queue_id AND f.vo = q.vo
                       ORDER BY f.priority, f.job_id LIMIT 1) f
                 JOIN job j ON j.job_id = f.job_id AND j.vo = q.vo
                WHERE q.input_set_id = w.input_set_id AND q.vo = w.vo AND q.active) q
        """,
        {"vos": [vo for vo, _ in sets], "sets": [input_set_id for _, input_set_id in sets]},
    )
    return {
        (vo, set_id): Inputs(
            site_sizes=dict(zip(sites or (), sizes or (), strict=True)),
            since=since,
            size=max([size or 0, *(sizes or ())]),
        )
        for vo, set_id, sites, sizes, since, size in rows
    }


async def slots(conn: Connection) -> dict[int, tuple[int, Slot]]:
    """The site and the slot of each CE, by its id."""
    rows = await fetch_rows(
        conn,
        """
        SELECT ce.ce_id, ce.site_id, r.name, s.name, ce.cores, ce.memory, ce.walltime, ce.tags, ce.machine
          FROM compute_element ce
          JOIN resource r ON r.resource_id = ce.ce_id
          JOIN resource s ON s.resource_id = ce.site_id
        """,
    )
    return {
        ce_id: (
            site_id,
            # Queues name sites by their ids; only tags know them by name.
            Slot(
                ce=ce, site=str(site_id), cores=cores, memory=memory, walltime=walltime,
                tags=frozenset([*tags, f"site:{site}"]), machine=read(Machine, machine),
            ),
        )
        for ce_id, site_id, ce, site, cores, memory, walltime, tags, machine in rows
    }  # fmt: skip


async def off(conn: Connection) -> frozenset[int]:
    """The CEs that are switched off, or whose sites are."""
    ids = await fetch_values(
        conn,
        """
        SELECT ce.ce_id
          FROM compute_element ce
          JOIN resource r ON r.resource_id = ce.ce_id
          JOIN resource s ON s.resource_id = ce.site_id
         WHERE NOT (ce.enabled AND r.enabled AND s.enabled)
        """,
    )
    return frozenset(ids)


async def group_shares(conn: Connection) -> dict[tuple[int, int], float]:
    """The share of each group, by VO and id."""
    return {(vo, group): share for vo, group, share in await fetch_rows(
        conn, "SELECT vo, group_id, share FROM account_group")}  # fmt: skip


async def warm(
    conn: Connection, sets: Sequence[SetKey], vo_name: str, dids: Sequence[tuple[str, str]]
) -> dict[SetKey, int]:
    """Bytes of each of these input sets that are in some DIDs (scope, name) of a VO: files, or datasets of such."""
    rows = await fetch_rows(
        conn,
        """
        WITH said AS MATERIALIZED (
            SELECT d.vo, d.did_id, d.size
              FROM unnest(%(scopes)s::text[], %(names)s::text[]) AS w (scope, name)
             CROSS JOIN LATERAL (
                   SELECT d.vo, d.did_id, d.size
                     FROM vo JOIN scope s ON s.vo = vo.vo AND s.name = w.scope
                     JOIN did d ON d.scope_id = s.scope_id AND d.vo = s.vo AND d.name = w.name
                    WHERE vo.name = %(vo_name)s LIMIT 1) d),
        file AS MATERIALIZED (
            SELECT vo, did_id FROM said
             UNION
            SELECT said.vo, a.child_id FROM said JOIN attachment a ON a.parent_id = said.did_id AND a.vo = said.vo)
        SELECT s.vo, s.input_set_id, f.size
          FROM input_set s
         CROSS JOIN LATERAL (
               SELECT sum(d.size)::bigint AS size
                 FROM file
                 JOIN input_set_did i ON i.input_set_id = s.input_set_id AND i.vo = s.vo AND i.did_id = file.did_id
                 JOIN did d ON d.did_id = i.did_id AND d.vo = i.vo
                WHERE file.vo = s.vo) f
         WHERE s.input_set_id = ANY(%(sets)s::bigint[]) AND f.size > 0
        """,
        {
            "vo_name": vo_name, "scopes": [scope for scope, _ in dids], "names": [name for _, name in dids],
            "sets": [set_id for _, set_id in sets],
        },
    )  # fmt: skip
    return {(vo, set_id): size for vo, set_id, size in rows}


async def weights(conn: Connection) -> dict[int, Weights]:
    """What the VOs served weigh, of those that weigh anything."""
    rows = await fetch_rows(conn, "SELECT vo, hour, money, carbon, throughput FROM rank_weights")
    return {
        vo: Weights(hour=hour, money=money, carbon=carbon, throughput=throughput)
        for vo, hour, money, carbon, throughput in rows
    }


async def put_weights(conn: Connection, vo: int, said: Weights) -> None:
    """Say what a VO weighs from now on."""
    await execute(
        conn,
        """
        INSERT INTO rank_weights (vo, hour, money, carbon, throughput)
        VALUES (%(vo)s, %(hour)s, %(money)s, %(carbon)s, %(throughput)s)
        ON CONFLICT (vo) DO UPDATE SET hour = excluded.hour, money = excluded.money, carbon = excluded.carbon,
                                       throughput = excluded.throughput
        """,
        {"vo": vo, "hour": said.hour, "money": said.money, "carbon": said.carbon, "throughput": said.throughput},
    )


async def delete_weights(conn: Connection, vo: int) -> None:
    """Let a VO weigh nothing."""
    await execute(conn, "DELETE FROM rank_weights WHERE vo = %(vo)s", {"vo": vo})


RUNNING: LiteralString = """
    SELECT q.vo, q.group_id, q.account_id, sum(a.cores)::float8 AS cores
      FROM attempt a
      JOIN job j ON j.job_id = a.job_id AND j.vo = a.vo
      JOIN task_queue q ON q.task_queue_id = j.task_queue_id AND q.vo = j.vo
     WHERE a.ended_at IS NULL
     GROUP BY 1, 2, 3
"""


async def used(conn: Connection, half_life: timedelta) -> dict[Owner, float]:
    """Cores that owners have now, together with those that they had of late on average."""
    rows = await fetch_rows(
        conn,
        f"""
        SELECT vo, group_id, account_id, sum(cores) FROM (
            {RUNNING}
             UNION ALL
            SELECT vo, group_id, account_id,
                   cores * power(0.5, extract(epoch FROM now() - at) / extract(epoch FROM %(half_life)s::interval))
              FROM share_average) AS u (vo, group_id, account_id, cores)
         GROUP BY 1, 2, 3
        """,  # noqa: S608 - literals
        {"half_life": half_life},
    )
    return {Owner(vo=vo, group_id=group, account_id=account): float(cores) for vo, group, account, cores in rows}


async def average(conn: Connection, half_life: timedelta) -> None:
    """Let the averages of all VOs served grow and decay to this moment."""
    params = {"half_life": half_life}
    await execute(
        conn,
        f"""
        INSERT INTO share_average (vo, group_id, account_id, cores)
        SELECT vo, group_id, account_id, 0 FROM ({RUNNING}) r ORDER BY 2, 3 ON CONFLICT DO NOTHING
        """,  # noqa: S608 - literals
    )
    await execute(
        conn,
        f"""
        UPDATE share_average s SET cores = s.cores * f.kept + f.cores * (1 - f.kept), at = now()
          FROM (SELECT a.vo, a.group_id, a.account_id, coalesce(r.cores, 0) AS cores,
                       power(0.5, extract(epoch FROM now() - a.at) / extract(epoch FROM %(half_life)s::interval))
                           AS kept
                  FROM share_average a
                  LEFT JOIN ({RUNNING}) r USING (vo, group_id, account_id)
                 ORDER BY a.group_id, a.account_id FOR UPDATE OF a) f
         WHERE s.group_id = f.group_id AND s.account_id = f.account_id AND s.vo = f.vo
        """,  # noqa: S608 - literals
        params,
    )
    await execute(
        conn,
        f"""
        DELETE FROM share_average s
         WHERE s.cores < 1e-6 AND NOT EXISTS (
               SELECT FROM ({RUNNING}) r
                WHERE r.group_id = s.group_id AND r.account_id = s.account_id AND r.vo = s.vo)
        """,  # noqa: S608 - literals
    )


# ---- limits


async def limits(conn: Connection) -> list[Limit]:
    """Every limit of the VOs served."""
    rows = await fetch_rows(
        conn, "SELECT vo, name, most, site_id, type, group_id FROM running_limit ORDER BY vo, name"
    )  # fmt: skip
    return [
        Limit(key=(vo, name), most=most, site_id=site_id, type=kind, group_id=group_id)
        for vo, name, most, site_id, kind, group_id in rows
    ]


async def running(conn: Connection) -> dict[tuple[Label, int], int]:
    """How many jobs run in the VOs served, by label and site."""
    rows = await fetch_rows(
        conn,
        """
        SELECT q.vo, q.type, q.group_id, a.site_id, count(*)
          FROM attempt a
          JOIN job j ON j.job_id = a.job_id AND j.vo = a.vo
          JOIN task_queue q ON q.task_queue_id = j.task_queue_id AND q.vo = j.vo
         WHERE a.ended_at IS NULL
         GROUP BY 1, 2, 3, 4
        """,
    )
    return {(Label(vo=vo, type=kind, group_id=group_id), site): n for vo, kind, group_id, site, n in rows}


async def lock_limits(conn: Connection, keys: Sequence[LimitKey]) -> None:
    """Let nobody else begin a job under these limits until the transaction ends."""
    await execute(
        conn,
        """
        SELECT FROM running_limit
         WHERE (vo, name) IN (SELECT * FROM unnest(%(vos)s::smallint[], %(names)s::text[]))
         ORDER BY vo, name FOR NO KEY UPDATE
        """,
        {"vos": [vo for vo, _ in keys], "names": [name for _, name in keys]},
    )


async def running_under(conn: Connection, keys: Sequence[LimitKey]) -> dict[LimitKey, int]:
    """How many jobs run under each of these limits, at this moment; lock them before."""
    counted: LiteralString = """
        SELECT count(*) FROM attempt a
          JOIN job j ON j.job_id = a.job_id AND j.vo = a.vo
          JOIN task_queue q ON q.task_queue_id = j.task_queue_id AND q.vo = j.vo
         WHERE a.vo = l.vo AND a.ended_at IS NULL
           AND (l.type IS NULL OR q.type = l.type) AND (l.group_id IS NULL OR q.group_id = l.group_id)"""
    rows = await fetch_rows(
        conn,
        f"""
        SELECT l.vo, l.name,
               CASE WHEN l.site_id IS NULL THEN ({counted}) ELSE ({counted} AND a.site_id = l.site_id) END
          FROM running_limit l
         WHERE (l.vo, l.name) IN (SELECT * FROM unnest(%(vos)s::smallint[], %(names)s::text[]))
        """,  # noqa: S608 - literals
        {"vos": [vo for vo, _ in keys], "names": [name for _, name in keys]},
    )
    return {(vo, name): n for vo, name, n in rows}


async def put_limits(conn: Connection, found: Sequence[Limit]) -> None:
    """Make limits, or change those of these names."""
    await execute(
        conn,
        """
        INSERT INTO running_limit (vo, name, most, site_id, type, group_id)
        SELECT * FROM unnest(%(vos)s::smallint[], %(names)s::text[], %(mosts)s::int[], %(sites)s::int[],
                             %(types)s::text[], %(groups)s::int[]) AS w (vo, name)
         ORDER BY vo, name
            ON CONFLICT (name, vo) DO UPDATE
               SET most = excluded.most, site_id = excluded.site_id, type = excluded.type, group_id = excluded.group_id
        """,
        {
            "vos": [limit.key[0] for limit in found], "names": [limit.key[1] for limit in found],
            "mosts": [limit.most for limit in found], "sites": [limit.site_id for limit in found],
            "types": [limit.type for limit in found], "groups": [limit.group_id for limit in found],
        },
    )  # fmt: skip


async def delete_limits(conn: Connection, vo: int, names: Sequence[str]) -> None:
    """Remove limits by name."""
    await execute(
        conn,
        "DELETE FROM running_limit WHERE name = ANY(%(names)s::text[]) AND vo = %(vo)s",
        {"vo": vo, "names": list(names)},
    )
