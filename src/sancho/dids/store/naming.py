"""What new names look like in a VO."""

from collections.abc import Mapping, Sequence

from sancho.dids.model import Nameable, NameSchema
from sancho.kit.db import Connection, execute, fetch_rows


async def schemas(conn: Connection, vo: int) -> dict[Nameable, NameSchema]:
    """What the VO asks of names, of which it asks something."""
    rows = await fetch_rows(conn, "SELECT kind, pattern, example FROM name_schema WHERE vo = %(vo)s", {"vo": vo})
    return {Nameable(kind): NameSchema(pattern, example) for kind, pattern, example in rows}


async def put(conn: Connection, vo: int, wanted: Mapping[Nameable, NameSchema]) -> None:
    """Ask this of names from now on; those that are there stay."""
    await execute(
        conn,
        """
        INSERT INTO name_schema (vo, kind, pattern, example)
        SELECT %(vo)s, kind::"char", pattern, example
          FROM unnest(%(kinds)s::text[], %(patterns)s::text[], %(examples)s::text[]) AS wanted (kind, pattern, example)
         ORDER BY kind
            ON CONFLICT (kind, vo) DO UPDATE SET pattern = EXCLUDED.pattern, example = EXCLUDED.example
        """,
        {
            "vo": vo, "kinds": [kind.value for kind in wanted],
            "patterns": [one.pattern for one in wanted.values()], "examples": [one.example for one in wanted.values()],
        },
    )  # fmt: skip


async def delete(conn: Connection, vo: int, kinds: Sequence[Nameable]) -> None:
    """Ask nothing more of names of these kinds."""
    await execute(
        conn,
        'DELETE FROM name_schema WHERE vo = %(vo)s AND kind = ANY(%(kinds)s::text[]::"char"[])',
        {"vo": vo, "kinds": [kind.value for kind in kinds]},
    )
