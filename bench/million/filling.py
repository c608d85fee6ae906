"""The dataset, by plain SQL."""

from collections.abc import Mapping
from typing import Any

from bench.ground import LHCB, Ground

NAME = "million"
DID = f"bench:{NAME}"

FILL = """
INSERT INTO did (vo, kind, open, scope_id, did_id, account_id, name)
    SELECT %(vo)s, 'D', true, s.scope_id, %(first)s, s.account_id, %(name)s FROM scope s WHERE s.vo = %(vo)s AND s.name = 'bench';
INSERT INTO did (vo, kind, open, scope_id, did_id, size, account_id, adler32, name)
    SELECT %(vo)s, 'F', false, s.scope_id, %(first)s + n, 1000 + n, s.account_id, n,
           %(name)s || '/' || lpad((n / 10000)::text, 4, '0') || '/' || lpad(n::text, 8, '0') || '.dst'
      FROM generate_series(1, %(files)s) n JOIN scope s ON s.vo = %(vo)s AND s.name = 'bench';
INSERT INTO attachment (vo, parent_id, child_id) SELECT %(vo)s, %(first)s, %(first)s + n FROM generate_series(1, %(files)s) n;
INSERT INTO collection_tally (vo, slot, did_id, files, size)
    SELECT %(vo)s, 1, %(first)s, %(files)s, sum(1000 + n) FROM generate_series(1, %(files)s) n;
INSERT INTO replica (vo, state, rse_id, did_id, size, lock_count)
    SELECT %(vo)s, 'A', rse_id, %(first)s + n, 1000 + n, 1
      FROM generate_series(1, %(files)s) n, unnest(ARRAY[%(a)s, %(b)s]::int[]) AS rse_id;
INSERT INTO rse_usage_slot (vo, slot, rse_id, files, size)
    SELECT %(vo)s, 1, rse_id, %(files)s, (SELECT sum(1000 + n) FROM generate_series(1, %(files)s) n)
      FROM unnest(ARRAY[%(a)s, %(b)s]::int[]) AS rse_id;
INSERT INTO usage_slot (vo, slot, account_id, rse_id, files, size)
    SELECT u.vo, 1, a.account_id, u.rse_id, u.files, u.size
      FROM rse_usage_slot u JOIN account a ON a.vo = u.vo AND a.name = 'prod';
INSERT INTO rule (vo, copies, account_id, rule_id, did_id, ok) OVERRIDING SYSTEM VALUE
    SELECT %(vo)s, 1, account_id, 1, %(first)s, %(files)s FROM account WHERE vo = %(vo)s AND name = 'prod';
INSERT INTO rule (vo, copies, account_id, rule_id, did_id, ok) OVERRIDING SYSTEM VALUE
    SELECT %(vo)s, 1, account_id, 1 + n, %(first)s + n, 1
      FROM account, generate_series(1, %(files)s) n WHERE vo = %(vo)s AND name = 'prod';
INSERT INTO rule_detail (vo, rule_id, implicit, rse_ids, rse_expression)
    SELECT vo, rule_id, rule_id > 1, ARRAY[CASE rule_id WHEN 1 THEN %(a)s ELSE %(b)s END],
           CASE rule_id WHEN 1 THEN %(a_name)s ELSE %(b_name)s END
      FROM rule WHERE vo = %(vo)s;
INSERT INTO lock (vo, rse_id, did_id, rule_id, size)
    SELECT %(vo)s, %(a)s, %(first)s + n, 1, 1000 + n FROM generate_series(1, %(files)s) n;
INSERT INTO lock (vo, rse_id, did_id, rule_id, size)
    SELECT %(vo)s, %(b)s, %(first)s + n, 1 + n, 1000 + n FROM generate_series(1, %(files)s) n;
INSERT INTO metadata_key (vo, kind, name, slot, terms) VALUES (%(vo)s, 'I', 'run', 1, '{}')
"""


def fill(ground: Ground, files: int) -> list[str]:
    """Make the dataset; return the names of four RSEs, the first two of which have it."""
    known = ground.ids("SELECT name, rse_id FROM rse ORDER BY name LIMIT 4")
    places = list(known)
    drawn = ground.raw.execute("SELECT nextval('did_id')").fetchone()
    assert drawn is not None
    values: Mapping[str, Any] = {
        "vo": LHCB, "first": drawn[0] + 1, "files": files, "name": NAME, "a": known[places[0]], "b": known[places[1]],
        "a_name": places[0], "b_name": places[1],
    }  # fmt: skip
    for statement in FILL.split(";\n"):  # directories are counted by triggers, and the rest is filled without
        (ground.raw if "INTO did " in statement else ground.admin).execute(statement, values)
    ground.raw.execute("SELECT setval('did_id', %s)", [values["first"] + files + 1000])
    ground.raw.execute("SELECT setval(pg_get_serial_sequence('rule', 'rule_id'), %s)", [files + 1000])
    ground.settle()
    return places
