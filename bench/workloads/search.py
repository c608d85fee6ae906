"""`GET /v1/dids?where=…`: the first hundred DIDs that queries over typed metadata find, each in the whole VO.

Raw: the same hundred rows by an index on the typed column, for the first of the queries.
"""

from urllib.parse import quote

from bench.driver import encode
from bench.figures import Figure, compare
from bench.ground import LHCB, Ground
from bench.workloads.catalogue import timed

TIMES = 5
"""How often each query is asked in a round."""
SEARCHES = (
    "run = 17", "run > 2900", "run between 100 and 110 & stream = physics3", "stream = physics7 & detector = ecl",
    "detector in (ecl, top) & run = 1200", "run > 1200 & stream = physics1 & good = true",
)  # fmt: skip
KEYS = {
    "run": ("I", 1, "integer"),
    "good": ("B", 2, "boolean"),
    "stream": ("T", 1, "text"),
    "detector": ("T", 2, "text"),
}
"""Keys of metadata: letter, slot and word of their kinds."""
DECLARE = """
INSERT INTO metadata_key (vo, kind, slot, name, terms)
VALUES (%(vo)s, %(kind)s, %(slot)s, %(name)s, jsonb_build_object('kind', %(word)s::text)) ON CONFLICT DO NOTHING
"""
DESCRIBE = """
INSERT INTO metadata_search (vo, did_id, n1, n2, t1, t2)
SELECT vo, did_id, did_id %% 3000, did_id / 7 %% 2, 'physics' || did_id / 3 %% 20,
       (ARRAY['ecl', 'top', 'cdc', 'svd', 'klm'])[1 + did_id / 11 %% 5]
  FROM did WHERE vo = %(vo)s AND kind = 'F'
    ON CONFLICT DO NOTHING
"""
RAW = """
SELECT s.name, d.name, d.size, d.created_at
  FROM metadata_search m
  JOIN did d ON d.did_id = m.did_id AND d.vo = m.vo
  JOIN scope s ON s.scope_id = d.scope_id AND s.vo = d.vo
 WHERE m.vo = %(vo)s AND m.n1 = 17
 ORDER BY m.did_id LIMIT 100
"""


def measure(ground: Ground, rows: int, rounds: int) -> tuple[Figure, ...]:
    """Searches in a second; the latency is that of one search."""
    for name, (kind, slot, word) in KEYS.items():
        ground.admin.execute(DECLARE, {"vo": LHCB, "kind": kind, "slot": slot, "name": name, "word": word})
    ground.admin.execute(DESCRIBE, {"vo": LHCB})
    ground.settle()
    with ground.unlimited() as unlimited:
        return _measure(unlimited, rows, rounds)


def _measure(ground: Ground, rows: int, rounds: int) -> tuple[Figure, ...]:
    token, driver = ground.token(), ground.driver(1)
    calls = [encode("GET", f"/v1/dids?limit=100&where={quote(where)}", token) for where in SEARCHES] * TIMES
    plain = [lambda: ground.raw.execute(RAW, {"vo": LHCB}).fetchall()] * len(calls)
    return compare("search", rows, lambda: driver.run(calls, items=len(calls)), lambda: timed(1, plain), rounds=rounds)[
        :1
    ]
