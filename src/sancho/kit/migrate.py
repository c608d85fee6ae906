"""Numbered SQL files make the database, one after the other, each once.

`NNNN_pre_NAME.sql` runs before new code starts (the old code still works on it), `NNNN_post_NAME.sql` when no old
code is left. Each file is one transaction and waits at most 4 s for a lock and 5 s for a statement, unless a line
such as `-- statement_timeout: 10min` at its top says otherwise. Runs are serialised by an advisory lock.
A file whose one statement is `CREATE INDEX CONCURRENTLY` is no transaction, and takes the time that it needs: who reads
and writes the table goes on meanwhile. An index that another run began and did not finish is made anew.
The task queue's own tables (procrastinate) are kept up to date the same way, in a schema of their own.
"""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Literal, LiteralString, cast

import psycopg
from procrastinate.schema import SchemaManager
from psycopg import sql

from sancho.kit.db import SEARCH_PATH

Phase = Literal["pre", "post", "all"]
LOCK = 7_266_226  # any number, as long as every version of us uses the same
NAME = re.compile(r"^\d{4}_(pre|post)_[a-z0-9_]+\.sql$")
PARTITIONS = (
    "SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r' AND relnamespace = 'sancho'::regnamespace"
)
APPEND_ONLY = (
    "SELECT relname FROM pg_class WHERE relnamespace = 'sancho'::regnamespace"
    " AND obj_description(oid, 'pg_class') = 'append-only'"
)
QUEUE_INDEX = """-- statement_timeout: 60s
CREATE INDEX IF NOT EXISTS procrastinate_jobs_of_vo
    ON procrastinate_jobs (coalesce(args->>'vo', ''), priority) WHERE status = 'todo';
"""
"""What `kit.tasks` needs to have VOs take turns."""
TIMEOUTS = {"lock_timeout": "4s", "statement_timeout": "5s"}
UNHURRIED = {"lock_timeout": "0", "statement_timeout": "0"}
ALONGSIDE = re.compile(r"^CREATE INDEX CONCURRENTLY (\w+)\s", re.MULTILINE)
LOOK_EVERY = 0.2
"""Seconds between two looks whether another run has ended."""


@dataclass(frozen=True)
class Migration:
    """One file: its name is its identity, its text must never change once released."""

    name: str
    text: str

    @property
    def phase(self) -> str:
        """When it may run: `pre` or `post`."""
        return "post" if "_post_" in self.name else "pre"

    @property
    def timeouts(self) -> dict[str, str]:
        """Lock and statement timeouts, with what the file's head says instead."""
        said = dict(re.findall(r"^-- (lock_timeout|statement_timeout): (\w+)$", self.text, re.MULTILINE))
        return (UNHURRIED if self.alongside else TIMEOUTS) | said

    @property
    def alongside(self) -> str | None:
        """The index that it builds while others write; None for what is one transaction."""
        found = ALONGSIDE.search(self.text)
        return None if found is None else found[1]


def migrations(folder: Traversable | None = None) -> list[Migration]:
    """Our migrations in the order in which they run."""
    found = (f for f in (folder or files("sancho.migrations")).iterdir() if NAME.match(f.name))
    return sorted((Migration(f.name, f.read_text("utf-8")) for f in found), key=lambda m: m.name)


def _queue_migrations() -> list[Migration]:
    folder = Path(str(SchemaManager.get_migrations_path()))
    return sorted((Migration(f.name, f.read_text("utf-8")) for f in folder.glob("*.sql")), key=lambda m: m.name)


def connect(url: str) -> "psycopg.Connection[Any]":
    """Connect as the owner of the database."""
    return psycopg.connect(url, autocommit=True, options=SEARCH_PATH)


def pending(url: str) -> list[str]:
    """Names of the migrations that this database still lacks; all of them when it is empty."""
    with connect(url) as conn:
        done = _done(conn)
    return [m.name for m in migrations() if m.name not in done]


def migrate(url: str, *, server_role: str | None = None, phase: Phase = "all") -> list[str]:
    """Bring a database up to date; return the names of the files that ran. Safe to run twice and at once.

    `server_role` gets the right to read and write, and nothing else; the tables belong to the role of `url`. Of
    tables with the comment `append-only` it may not change or delete rows.
    """
    ran: list[str] = []
    with connect(url) as conn:
        _wait_for_others(conn)
        conn.execute("CREATE SCHEMA IF NOT EXISTS sancho")
        conn.execute("CREATE SCHEMA IF NOT EXISTS procrastinate")
        conn.execute(
            "CREATE TABLE IF NOT EXISTS sancho.migration ("
            "name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"
        )
        _prepare_queue(conn)
        done = _done(conn)
        for migration in migrations():
            if migration.name in done or phase not in ("all", migration.phase):
                continue
            _run(conn, migration)
            ran.append(migration.name)
        if "sancho.make_partitions" in _functions(conn):
            conn.execute("SELECT sancho.make_partitions((now() + interval '8 weeks')::date)")
        if server_role is not None:
            _grant(conn, server_role)
    return ran


def _wait_for_others(conn: "psycopg.Connection[Any]") -> None:
    # A statement that waited would be waited for by an index that another run builds alongside.
    while conn.execute("SELECT pg_try_advisory_lock(%s)", [LOCK]).fetchone() != (True,):
        time.sleep(LOOK_EVERY)


def _done(conn: "psycopg.Connection[Any]") -> set[str]:
    if conn.execute("SELECT to_regclass('sancho.migration')").fetchone() == (None,):
        return set()
    return {row[0] for row in conn.execute("SELECT name FROM sancho.migration")}


def _functions(conn: "psycopg.Connection[Any]") -> set[str]:
    return {
        row[0]
        for row in conn.execute(
            "SELECT n.nspname || '.' || p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace "
            "WHERE n.nspname = 'sancho'"
        )
    }


def _run(conn: "psycopg.Connection[Any]", migration: Migration, search_path: str = "sancho, procrastinate") -> None:
    if migration.alongside is not None:
        _build(conn, migration, migration.alongside)
        return
    with conn.transaction():
        for setting, value in {**migration.timeouts, "search_path": search_path}.items():
            conn.execute("SELECT set_config(%s, %s, true)", [setting, value])
        conn.execute(sql.SQL(cast(LiteralString, migration.text)))
        conn.execute("INSERT INTO sancho.migration (name) VALUES (%s)", [migration.name])


def _build(conn: "psycopg.Connection[Any]", migration: Migration, index: str) -> None:
    """Build an index outside of a transaction; what was left of an earlier try goes first, for nothing uses it."""
    for setting, value in migration.timeouts.items():
        conn.execute("SELECT set_config(%s, %s, false)", [setting, value])
    conn.execute(sql.SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(sql.Identifier("sancho", index)))
    conn.execute(sql.SQL(cast(LiteralString, migration.text)))
    conn.execute("INSERT INTO sancho.migration (name) VALUES (%s)", [migration.name])
    conn.execute("RESET lock_timeout; RESET statement_timeout")


def _prepare_queue(conn: "psycopg.Connection[Any]") -> None:
    """Install the task queue, or run the migrations that its newer version brought."""
    theirs, fair = _queue_migrations(), Migration("sancho_queue_of_vo", QUEUE_INDEX)
    if conn.execute("SELECT to_regclass('procrastinate.procrastinate_jobs')").fetchone() == (None,):
        schema = Migration("procrastinate", "-- statement_timeout: 60s\n" + SchemaManager.get_schema())
        _run(conn, schema, search_path="procrastinate")
        for migration in theirs:
            conn.execute("INSERT INTO sancho.migration (name) VALUES (%s)", [migration.name])
    done = _done(conn)
    for migration in (*theirs, fair):
        if migration.name not in done:
            _run(conn, migration, search_path="procrastinate")


def _grant(conn: "psycopg.Connection[Any]", role: str) -> None:
    for statement in _grants():
        conn.execute(sql.SQL(statement).format(role=sql.Identifier(role)))
    # A partition that is named itself is not behind the wall of its table.
    for (partition,) in conn.execute(PARTITIONS).fetchall():
        names = {"partition": sql.Identifier("sancho", partition), "role": sql.Identifier(role)}
        conn.execute(sql.SQL("REVOKE ALL ON {partition} FROM {role}").format(**names))
    for (table,) in conn.execute(APPEND_ONLY).fetchall():
        names = {"table": sql.Identifier("sancho", table), "role": sql.Identifier(role)}
        conn.execute(sql.SQL("REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM {role}").format(**names))


def _grants() -> Iterator[LiteralString]:
    for schema in ("sancho", "procrastinate"):
        for grant in (
            "GRANT USAGE ON SCHEMA {schema} TO {{role}}",
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {{role}}",
            "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {{role}}",
            "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA {schema} TO {{role}}",
        ):
            yield grant.format(schema=schema)
