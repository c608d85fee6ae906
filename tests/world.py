"""The world that every test database holds, written with plain SQL so that no feature needs another to be tested.

VOs belle (1) and gridpp (2), each with users alice and bob, administrator root, groups users and admins, and the
shared scope `mc`; sites SITE-A and SITE-B of the instance, each with a CE (`A-CE`) and an RSE (`A-DISK`), granted to
both VOs.
"""

from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg

USERS = ["jobs:create", "dids:create", "rules:create", "uploads:create"]

SQL = """
SELECT set_config('sancho.vo', '0,1,2', false);
INSERT INTO vo (vo, name) VALUES (1, 'belle'), (2, 'gridpp');
SELECT setval('vo_number', 2);
INSERT INTO account (vo, kind, name) SELECT v, 'U', n FROM (VALUES (0, 'root')) AS i (v, n)
    UNION ALL SELECT v, 'U', n FROM unnest(ARRAY[1, 2]) v, unnest(ARRAY['alice', 'bob', 'root']) n;
INSERT INTO account_group (vo, name, permissions)
    SELECT v, 'users', %(users)s::text[] FROM unnest(ARRAY[1, 2]) v
    UNION ALL SELECT v, 'admins', ARRAY['*'] FROM unnest(ARRAY[0, 1, 2]) v;
INSERT INTO membership (vo, group_id, account_id)
    SELECT a.vo, g.group_id, a.account_id FROM account a JOIN account_group g
        ON g.vo = a.vo AND g.name = CASE a.name WHEN 'root' THEN 'admins' ELSE 'users' END;
INSERT INTO scope (vo, shared, account_id, name)
    SELECT vo, true, account_id, 'mc' FROM account WHERE vo > 0 AND name = 'root';
INSERT INTO resource (vo, kind, name) VALUES (0, 'S', 'SITE-A'), (0, 'S', 'SITE-B');
INSERT INTO resource (vo, kind, site_id, name)
    SELECT 0, k, resource_id, right(name, 1) || CASE k WHEN 'C' THEN '-CE' ELSE '-DISK' END
      FROM resource, unnest(ARRAY['C', 'R']::"char"[]) k WHERE kind = 'S';
INSERT INTO resource_grant (vo, to_vo, resource_id) SELECT 0, v, resource_id FROM resource, unnest(ARRAY[1, 2]) v;
INSERT INTO compute_element (vo, ce_id, site_id, cores, max_pilots, memory, walltime, plugin, tags)
    SELECT 0, resource_id, site_id, 1, 4, 2000000000, '1 h', 'local', ARRAY['env:demo'] FROM resource WHERE kind = 'C';
INSERT INTO rse (vo, rse_id, site_id, name, audience, attributes)
    SELECT 0, resource_id, site_id, name, 'https://' || lower(name) || '.test',
           CASE name WHEN 'A-DISK' THEN '{"tier": 1, "country": "JP"}' ELSE '{"tier": 2, "country": "UK"}' END::jsonb
      FROM resource WHERE kind = 'R';
INSERT INTO rse_protocol (vo, priority, rse_id, plugin, prefix)
    SELECT 0, 1, rse_id, 'posix', 'file:///nowhere/' || lower(name) FROM rse;
INSERT INTO distance (vo, distance, source_rse_id, destination_rse_id)
    SELECT 0, 1, a.rse_id, b.rse_id FROM rse a, rse b WHERE a.rse_id <> b.rse_id;
"""


def build_world(url: str) -> None:
    """Fill an empty, migrated database; `url` is the owner's."""
    with psycopg.connect(url, options="-c search_path=sancho") as conn:
        conn.execute("SELECT set_config('sancho.vo', '0,1,2', true)")
        for statement in SQL.split(";\n"):
            if statement.strip():
                conn.execute(statement, {"users": USERS} if "%(users)s" in statement else None)


@dataclass(frozen=True)
class World:
    """Ids by name. VO ids are 1 (belle) and 2 (gridpp)."""

    account: dict[tuple[int, str], int]
    group: dict[tuple[int, str], int]
    scope: dict[tuple[int, str], int]
    resource: dict[str, int]
    belle: int = 1
    gridpp: int = 2

    @classmethod
    def read(cls, url: str) -> "World":
        """Read the ids from a database that `build_world` filled."""
        with psycopg.connect(url, options="-c search_path=sancho") as conn:

            def ids(query: LiteralString) -> Any:
                rows: list[Any] = conn.execute(query).fetchall()
                return {tuple(r[:-1]) if len(r) > 2 else r[0]: r[-1] for r in rows}

            return cls(
                account=ids("SELECT vo, name, account_id FROM account"),
                group=ids("SELECT vo, name, group_id FROM account_group"),
                scope=ids("SELECT vo, name, scope_id FROM scope"),
                resource=ids("SELECT name, resource_id FROM resource"),
            )
