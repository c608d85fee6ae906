"""Queries that go into one message with others when a pilot gets a job at once."""

from collections.abc import Mapping, Sequence
from typing import Any, LiteralString

LOCK: LiteralString = "SELECT FROM pilot WHERE pilot_id = %(pilot_id)s AND vo = %(pilot_vo)s FOR NO KEY UPDATE"
"""Locks a pilot as `greet` does."""
GATE: LiteralString = """
    SELECT FROM pilot p
     WHERE p.pilot_id = %(pilot_id)s AND p.vo = %(pilot_vo)s AND p.ended_at IS NULL AND p.unfit_at IS NULL
       AND NOT EXISTS (
           SELECT FROM attempt a
            WHERE a.pilot_id = p.pilot_id AND a.ended_at IS NULL AND a.attempt_id <> ALL (%(held)s::bigint[]))
"""
"""A row for a pilot that may have a job and has heard of all that it was given; to be asked behind `LOCK`."""


def params(vo: int, pilot_id: int, held: Sequence[int]) -> Mapping[str, Any]:
    """About a pilot, of which `held` are the attempts that it says it has."""
    return {"pilot_id": pilot_id, "pilot_vo": vo, "held": list(held)}
