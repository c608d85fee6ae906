"""The SQL of matching: it only reads."""

from sancho.kit.db import Connection, fetch_rows
from sancho.matching.model import Candidate, Offer

TRIED = 16
"""Candidates looked at in one match; a lottery decides which."""


async def candidates(conn: Connection, offer: Offer) -> list[Candidate]:
    """Task queues that fit an offer, in the order of a lottery: VOs alike, groups by share, then by priority.

    The inputs of a queue are looked up among the replicas as they are now.
    """
    rows = await fetch_rows(
        conn,
        """
        WITH vo_ticket AS MATERIALIZED (
            SELECT v AS vo, random() AS ticket FROM unnest(%(vos)s::smallint[]) v),
        group_ticket AS MATERIALIZED (
            SELECT g.vo, g.group_id, v.ticket AS vo_ticket, -ln(1 - random()) / greatest(g.share, 1e-6) AS ticket
              FROM account_group g JOIN vo_ticket v ON v.vo = g.vo),
        fitting AS MATERIALIZED (
            SELECT q.vo, q.task_queue_id, q.input_set_id, q.priority, t.vo_ticket, t.ticket
              FROM (SELECT * FROM group_ticket ORDER BY vo_ticket, ticket) t
             CROSS JOIN LATERAL (
                   SELECT q.* FROM task_queue q
                    WHERE q.active AND q.group_id = t.group_id AND q.vo = t.vo
                      AND q.cores <= %(cores)s AND q.memory <= %(memory)s AND q.walltime <= %(walltime)s
                      AND q.tags <@ %(tags)s::text[] AND (q.site_ids IS NULL OR %(site_id)s = ANY (q.site_ids))
                      AND %(site_id)s <> ALL (q.banned_ids)
                    ORDER BY q.priority DESC, q.task_queue_id LIMIT %(tried)s) q
             LIMIT %(tried)s)
        SELECT f.vo, f.task_queue_id, f.input_set_id IS NOT NULL, d.here, d.best, d.missing, d.waited
          FROM fitting f
          LEFT JOIN LATERAL (
               SELECT coalesce(max(s.size) FILTER (WHERE s.site_id = %(site_id)s), 0)::bigint AS here,
                      coalesce(max(s.size), 0)::bigint AS best,
                      (SELECT count(*) FROM input_set_did i
                        WHERE i.input_set_id = f.input_set_id AND i.vo = f.vo AND NOT EXISTS (
                              SELECT FROM replica r WHERE r.did_id = i.did_id AND r.vo = f.vo AND r.state = 'A')
                      ) AS missing,
                      (SELECT now() - j.changed_at FROM waiting_job w JOIN job j ON j.job_id = w.job_id AND j.vo = w.vo
                        WHERE w.task_queue_id = f.task_queue_id AND w.vo = f.vo ORDER BY w.priority, w.job_id LIMIT 1
                      ) AS waited
                 FROM (SELECT rse.site_id, sum(r.size) AS size
                         FROM input_set_did i
                         JOIN replica r ON r.did_id = i.did_id AND r.vo = i.vo AND r.state = 'A'
                         JOIN rse ON rse.rse_id = r.rse_id AND rse.readable
                        WHERE i.input_set_id = f.input_set_id AND i.vo = f.vo
                        GROUP BY rse.site_id) s
               HAVING f.input_set_id IS NOT NULL
               ) d ON true
         ORDER BY f.vo_ticket, f.ticket, f.priority DESC, d.here DESC NULLS LAST, f.task_queue_id
        """,
        {
            "vos": list(offer.vos), "cores": offer.cores, "memory": offer.memory, "walltime": offer.walltime,
            "tags": list(offer.tags), "site_id": offer.site_id, "tried": TRIED,
        },
    )  # fmt: skip
    return [
        Candidate(vo=vo, task_queue_id=queue, has_inputs=False)
        if not has_inputs
        else Candidate(
            vo=vo, task_queue_id=queue, has_inputs=True, here=here, best=best, missing=missing,
            **({"waited": waited} if waited is not None else {}),
        )
        for vo, queue, has_inputs, here, best, missing, waited in rows
    ]  # fmt: skip
