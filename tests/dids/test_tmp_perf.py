import time, statistics
import psycopg
from psycopg import sql
from sancho.dids.model import DidKind, Search
from sancho.dids.service.searching import condition_of
from sancho.dids import service
from sancho.dids.store.rows import DID
from sancho.dids.store.searching import FROM, WHERE
from sancho.kit.db import Database, fetch_values
from sancho.kit.query import parse
from sancho.app import SEARCH_FIELDS
from tests.dids.metadata_given import KEYS, apply
from tests.dids.given import person
from tests.world import World


async def test_perf(database: Database, databases, database_url, world: World) -> None:
    async with database.transaction([1, 2]) as conn:
        await apply(conn, world, **{k: v for k, v in KEYS.items()})
        keys = {k.name: k for k in await service.list_keys(conn, 1)}
    owner = database_url.replace("sancho@", "sancho_owner@")
    name = database_url
    import re
    from tests.conftest import Databases

    dbname = re.search(r"(clone_\w+)", database_url)[1]
    with psycopg.connect(databases.url(dbname, "sancho_owner"), options="-c search_path=sancho", autocommit=True) as c:
        c.execute("SELECT set_config('sancho.vo','1,2',false)")
        t = time.time()
        c.execute(
            """INSERT INTO did (vo, kind, open, scope_id, size, account_id, name)
            SELECT 1 + (n %% 8 = 0)::int, 'F', false, CASE WHEN n %% 8 = 0 THEN %s ELSE %s END, n, CASE WHEN n %% 8 = 0 THEN %s ELSE %s END, 'data/file.' || lpad(n::text, 8, '0') || '.root'
            FROM generate_series(1, 200000) n""",
            [world.scope[2, "mc"], world.scope[1, "mc"], world.account[2, "alice"], world.account[1, "alice"]],
        )
        c.execute(
            "INSERT INTO metadata (vo, did_id, document) SELECT vo, did_id, jsonb_build_object('run', did_id %% 5000, 'stream', CASE WHEN did_id %% 3 = 0 THEN 'physics' ELSE 'cosmics' END, 'energy', random()*100, 'campaign', 'MC' || did_id %% 40, 'seed', did_id) FROM did".replace(
                "%%", "%"
            )
        )
        c.execute(
            f"INSERT INTO metadata_search (vo, did_id, n{keys['run'].slot}, n{keys['energy'].slot}, t{keys['stream'].slot}, t{keys['campaign'].slot}) SELECT vo, did_id, (document->>'run')::float8, (document->>'energy')::float8, document->>'stream', document->>'campaign' FROM metadata"
        )
        c.execute(
            f"INSERT INTO metadata_item (vo, key_id, did_id, value) SELECT vo, {keys['detector'].key_id}, did_id, 'd' || did_id % 50 FROM did WHERE vo = 1"
        )
        c.execute(
            "INSERT INTO did (vo, kind, open, scope_id, account_id, name) SELECT 1, 'D', true, %s, %s, 'ds/' || n FROM generate_series(1, 1000) n",
            [world.scope[1, "mc"], world.account[1, "alice"]],
        )
        c.execute(
            "INSERT INTO attachment (vo, parent_id, child_id) SELECT 1, d.did_id, f.did_id FROM did d JOIN did f ON f.vo = 1 AND f.kind = 'F' AND f.did_id % 1000 = d.did_id % 1000 WHERE d.kind = 'D'"
        )
        c.execute(f"INSERT INTO metadata_search (vo, did_id, t8) SELECT vo, did_id, 'x' FROM did WHERE kind='D'")
        c.execute(
            f"UPDATE metadata_search SET n{keys['good'].slot} = did_id % 2 FROM (SELECT did_id AS i FROM did WHERE kind='D') d WHERE d.i = did_id"
        )
        c.execute("ANALYZE")
        print("filled", time.time() - t)
    queries = [("campaign like MC3*", {}), ("campaign like MC3* & run = 17", {}), ("run > 1200", {"within": "mc:ds/5"}), ("seed = 500", {"within": "mc:ds/5"}), ("name like data/file.00001*", {"scope": "mc"}),
   ("run = 17", {"inherit": True}), ("run = 17 & stream = physics", {"inherit": True}), ("good = true & run = 17", {"inherit": True}), ("good = true", {"inherit": True}) ]
    for where, more in queries:
        times = []
        for _ in range(5):
            async with database.transaction([1]) as conn:
                t = time.perf_counter()
                found = await service.search_page(conn, 1, Search(parse(where), **more), SEARCH_FIELDS, limit=1000)
                times.append((time.perf_counter() - t) * 1000)
        times.sort()
        print(f"{where!r:60} {more} found {len(found):5} median {times[2]:.1f} worst {times[-1]:.1f}", flush=True)
        if times[2] > 400:
            async with database.transaction([1]) as conn:
                cond = await condition_of(conn, 1, Search(parse(where), **more), SEARCH_FIELDS)
                q = sql.SQL(
                    "EXPLAIN (ANALYZE, BUFFERS) "
                    + DID
                    + FROM
                    + WHERE
                    + " AND d.did_id > %(after)s ORDER BY d.did_id LIMIT 1000"
                )
                print(
                    "\n".join(
                        await fetch_values(
                            conn, q.format(cond.sql), {"vo": 1, "after": 0, "kinds": list(DidKind), **cond.params}
                        )
                    ),
                    flush=True,
                )
