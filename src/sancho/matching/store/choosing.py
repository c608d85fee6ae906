"""The SQL that says of which chosen task queues a match may have a job; `CHOICE` is a query that others embed."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, LiteralString

from sancho.kit.db import Connection, fetch_rows
from sancho.matching.model import Choice, QueueKey

CHOICE: LiteralString = """
    SELECT w.vo, w.task_queue_id, q.has_inputs, w.way, w.cores
      FROM (SELECT * FROM unnest(%(queue_vos)s::smallint[], %(queues)s::int[], %(ways)s::smallint[], %(cores)s::int[])
                     WITH ORDINALITY AS w (vo, task_queue_id, way, cores, n) ORDER BY n) w
     CROSS JOIN LATERAL (
           SELECT q.input_set_id IS NOT NULL AS has_inputs FROM task_queue q
            WHERE q.task_queue_id = w.task_queue_id AND q.vo = w.vo AND q.active
              AND (q.input_set_id IS NULL OR (
                  (NOT EXISTS (
                      SELECT FROM input_set_did i
                       WHERE i.input_set_id = q.input_set_id AND i.vo = q.vo AND NOT EXISTS (
                             SELECT FROM replica r WHERE r.did_id = i.did_id AND r.vo = i.vo AND r.state = 'A'
                                       AND r.rse_id <> ALL (ARRAY(SELECT t.rse_id FROM rse t WHERE t.tape))))
                   OR EXISTS (
                      SELECT FROM input_set s
                       WHERE s.input_set_id = q.input_set_id AND s.vo = q.vo AND s.least <= (
                             SELECT count(*) FROM input_set_did i
                              WHERE i.input_set_id = s.input_set_id AND i.vo = s.vo AND EXISTS (
                                    SELECT FROM replica r
                                     WHERE r.did_id = i.did_id AND r.vo = i.vo AND r.state = 'A'
                                       AND r.rse_id <> ALL (ARRAY(SELECT t.rse_id FROM rse t WHERE t.tape))))))
                  AND NOT EXISTS (
                      SELECT FROM shared_input i
                       WHERE i.input_set_id = q.input_set_id AND i.vo = q.vo AND NOT i.available)))) q
"""
"""Of the task queues that a plan has chosen, in its order, those whose inputs are available at this moment, all of them
or as many as they start with, as (vo, task_queue_id, has_inputs, way, cores). It is looked at as far as it is read. Of
inputs that another VO shares it sees where they were when they were last looked at: it serves the offer's VOs alone."""


PLAIN_CHOICE: LiteralString = """
    SELECT w.vo, w.task_queue_id, false AS has_inputs, w.way, w.cores
      FROM (SELECT * FROM unnest(%(queue_vos)s::smallint[], %(queues)s::int[], %(ways)s::smallint[], %(cores)s::int[])
                     WITH ORDINALITY AS w (vo, task_queue_id, way, cores, n) ORDER BY n) w
     CROSS JOIN (GATE) gate
     CROSS JOIN LATERAL (
           SELECT FROM task_queue q
            WHERE q.task_queue_id = w.task_queue_id AND q.vo = w.vo AND q.active AND q.input_set_id IS NULL) q
"""
"""The same of task queues whose jobs read nothing. `GATE` is a query: without a row of it, none is had."""


@cache
def plain_choice(gate: LiteralString) -> LiteralString:
    """`PLAIN_CHOICE` behind a gate."""
    return PLAIN_CHOICE.replace("GATE", gate)


def parameters(choices: Sequence[Choice]) -> Mapping[str, Any]:
    """What `CHOICE` wants to know."""
    return {
        "queue_vos": [c.queue.key[0] for c in choices], "queues": [c.queue.key[1] for c in choices],
        "ways": [c.way for c in choices], "cores": [c.cores for c in choices],
    }  # fmt: skip


async def may_be_had(conn: Connection, choices: Sequence[Choice]) -> list[QueueKey]:
    """Of the task queues that are chosen, those of which a match may have a job at this moment."""
    rows = await fetch_rows(conn, f"SELECT vo, task_queue_id FROM ({CHOICE}) c", parameters(choices))  # noqa: S608 - literals
    return [(vo, queue_id) for vo, queue_id in rows]
