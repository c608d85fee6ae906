"""The SQL of matching: a query that others embed. It only reads."""

from collections.abc import Mapping
from typing import Any, LiteralString

from sancho.matching.model import PATIENCE, Offer

TRIED_OF_A_GROUP = 32
TRIED = 256
"""Task queues looked at in one match at most; mostly the first one will do."""

CHOICE: LiteralString = """
    WITH vo_ticket AS MATERIALIZED (
        SELECT v AS vo, random() AS ticket FROM unnest(%(vos)s::smallint[]) v),
    group_ticket AS MATERIALIZED (
        SELECT g.vo, g.group_id, v.ticket AS vo_ticket, -ln(1 - random()) / greatest(g.share, 1e-6) AS ticket
          FROM account_group g JOIN vo_ticket v ON v.vo = g.vo)
    SELECT q.vo, q.task_queue_id, q.input_set_id IS NOT NULL AS has_inputs
      FROM (SELECT * FROM group_ticket ORDER BY vo_ticket, ticket) t
     CROSS JOIN LATERAL (
           SELECT q.vo, q.task_queue_id, q.input_set_id FROM task_queue q
            WHERE q.active AND q.group_id = t.group_id AND q.vo = t.vo
              AND q.cores <= %(cores)s AND q.memory <= %(memory)s AND q.walltime <= %(walltime)s
              AND q.tags <@ %(tags)s::text[] AND (q.site_ids IS NULL OR %(site_id)s = ANY (q.site_ids))
              AND %(site_id)s <> ALL (q.banned_ids)
            ORDER BY q.priority DESC, q.task_queue_id LIMIT %(tried_of_a_group)s) q
     WHERE q.input_set_id IS NULL OR (
           NOT EXISTS (
               SELECT FROM input_set_did i
                WHERE i.input_set_id = q.input_set_id AND i.vo = q.vo AND NOT EXISTS (
                      SELECT FROM replica r WHERE r.did_id = i.did_id AND r.vo = i.vo AND r.state = 'A'))
           AND NOT EXISTS (
               SELECT FROM shared_input i
                WHERE i.input_set_id = q.input_set_id AND i.vo = q.vo AND NOT i.available)
           AND (
               (SELECT coalesce(max(s.size) FILTER (WHERE s.site_id = %(site_id)s), 0) >= coalesce(max(s.size), 0)
                  FROM (SELECT b.site_id, sum(b.size) AS size
                          FROM (SELECT rse.site_id, r.size
                                  FROM input_set_did i
                                  JOIN replica r ON r.did_id = i.did_id AND r.vo = i.vo AND r.state = 'A'
                                  JOIN rse ON rse.rse_id = r.rse_id AND rse.readable
                                 WHERE i.input_set_id = q.input_set_id AND i.vo = q.vo
                                 UNION ALL
                                SELECT p.site_id, p.size
                                  FROM shared_input i CROSS JOIN unnest(i.site_ids, i.sizes) AS p (site_id, size)
                                 WHERE i.input_set_id = q.input_set_id AND i.vo = q.vo) b
                         GROUP BY b.site_id) s)
               OR (SELECT j.changed_at <= now() - %(patience)s::interval
                     FROM waiting_job w JOIN job j ON j.job_id = w.job_id AND j.vo = w.vo
                    WHERE w.task_queue_id = q.task_queue_id AND w.vo = q.vo
                    ORDER BY w.priority, w.job_id LIMIT 1)))
     LIMIT %(tried)s
"""
"""Task queues (vo, task_queue_id, has_inputs) that fit an offer, in the order of a lottery: VOs alike, groups by share,
then by priority. It is drawn as far as it is read. A queue is left out while a file of its inputs is available nowhere,
and while another readable site has more of their bytes, unless its first job has waited for `PATIENCE`. Of inputs that
another VO shares it sees where they were when they were last looked at: it serves the VOs of the offer alone."""


def parameters(offer: Offer) -> Mapping[str, Any]:
    """What `CHOICE` wants to know."""
    return {
        "vos": list(offer.vos), "cores": offer.cores, "memory": offer.memory, "walltime": offer.walltime,
        "tags": list(offer.tags), "site_id": offer.site_id, "patience": PATIENCE, "tried": TRIED,
        "tried_of_a_group": TRIED_OF_A_GROUP,
    }  # fmt: skip
