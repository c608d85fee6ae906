"""The SQL of changing what a rule asks for. Writes `rule` and `rule_detail`."""

from sancho.kit.db import Connection, execute
from sancho.rules.model import Change


async def change(conn: Connection, vo: int, rule_id: int, change: Change) -> None:
    """Change the terms of a rule that are named."""
    await execute(
        conn,
        """
        WITH timed AS (
            UPDATE rule SET expires_at = now() + %(lifetime)s
             WHERE rule_id = %(rule_id)s AND vo = %(vo)s AND 'lifetime' = ANY(%(fields)s::text[]))
        UPDATE rule_detail SET comment = %(comment)s
         WHERE rule_id = %(rule_id)s AND vo = %(vo)s AND 'comment' = ANY(%(fields)s::text[])
        """,
        {
            "vo": vo, "rule_id": rule_id, "fields": sorted(change.fields), "lifetime": change.lifetime,
            "comment": change.comment,
        },
    )  # fmt: skip
