"""What a database holds, before and after."""

from collections.abc import Container
from typing import Any

import psycopg


class Contents:
    """What all tables hold, so that a test can say that nothing has changed."""

    def __init__(self, owner_url: str, where: str | None = None) -> None:
        """Read as the owner: no wall hides a row. With `where`, only of tables that have a `vo`."""
        self._conn = psycopg.connect(owner_url, autocommit=True, options="-c search_path=sancho,procrastinate")
        tables = self._conn.execute(
            "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname IN ('sancho', 'procrastinate') AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
            " AND (%s::text IS NULL OR EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname = 'vo'))"
            " ORDER BY 1",
            [where],
        ).fetchall()
        self.tables = [row[0] for row in tables]
        self._query: Any = " UNION ALL ".join(
            f"SELECT '{t}', count(*), sum(hashtextextended(t::text, 0)::numeric) FROM {t} t WHERE {where or 'true'}"
            for t in self.tables
        )
        self._seen: tuple[Any, dict[str, tuple[Any, ...]]] = (None, {})

    def read(self, but: Container[str] = ()) -> dict[str, tuple[Any, ...]]:
        """The number of rows of each table, `but` for some, and a digest of what they hold.

        Nothing is read while nothing was written to the log, by which PostgreSQL would have to begin.
        """
        row = self._conn.execute("SELECT pg_current_wal_insert_lsn()").fetchone()
        assert row is not None
        if self._seen[0] != row[0]:
            self._seen = (row[0], {row[0]: row[1:] for row in self._conn.execute(self._query).fetchall()})
        return {table: seen for table, seen in self._seen[1].items() if table not in but}

    def text(self) -> str:
        """All rows of all tables, as PostgreSQL writes them."""
        rows: list[Any] = []
        for table in self.tables:
            query: Any = f"SELECT t::text FROM {table} t"
            rows += self._conn.execute(query).fetchall()
        return "\n".join(row[0] for row in rows)

    def close(self) -> None:
        """Close the connection."""
        self._conn.close()
