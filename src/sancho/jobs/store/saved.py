"""Searches for jobs that accounts have named."""

from sancho.jobs.model import JobView
from sancho.kit.db import Connection, execute, fetch, fetch_value


async def list_views(conn: Connection, vo: int, account_id: int) -> list[JobView]:
    """An account's views, by name."""
    return await fetch(
        conn,
        JobView,
        """
        SELECT name, query, sort, columns, changed_at FROM job_view
         WHERE account_id = %(account_id)s AND vo = %(vo)s ORDER BY name
        """,
        {"vo": vo, "account_id": account_id},
    )


async def put(conn: Connection, vo: int, account_id: int, view: JobView) -> None:
    """Keep a view; one of the same name is gone."""
    await execute(
        conn,
        """
        INSERT INTO job_view (vo, account_id, changed_at, name, query, sort, columns)
        VALUES (%(vo)s, %(account_id)s, %(at)s, %(name)s, %(query)s, %(sort)s, %(columns)s)
            ON CONFLICT (account_id, vo, name) DO UPDATE
           SET changed_at = excluded.changed_at, query = excluded.query, sort = excluded.sort,
               columns = excluded.columns
        """,
        {
            "vo": vo, "account_id": account_id, "at": view.changed_at, "name": view.name, "query": view.query,
            "sort": view.sort, "columns": view.columns,
        },
    )  # fmt: skip


async def count(conn: Connection, vo: int, account_id: int) -> int:
    """How many views an account has."""
    return await fetch_value(
        conn,
        "SELECT count(*) FROM job_view WHERE account_id = %(account_id)s AND vo = %(vo)s",
        {"vo": vo, "account_id": account_id},
    )


async def delete(conn: Connection, vo: int, account_id: int, name: str) -> bool:
    """Forget a view; False when there is none."""
    gone = await execute(
        conn,
        "DELETE FROM job_view WHERE account_id = %(account_id)s AND vo = %(vo)s AND name = %(name)s",
        {"vo": vo, "account_id": account_id, "name": name},
    )
    return gone == 1
