"""Closed datasets, of 10 000 files unless more are asked for, loaded by SQL."""

from bench.ground import LHCB, Ground

FILES = 10_000

STATEMENTS = """
INSERT INTO did (vo, kind, open, scope_id, did_id, size, account_id, adler32, name)
    SELECT %(vo)s, 'F', false, s.scope_id, %(first)s + n, 1000000000 + n, s.account_id, n,
           'lhcb/MC/2024/ALLSTREAMS.DST/' || %(first)s || '/0000/' || %(first)s || '_' || lpad(n::text, 8, '0') || '_7.dst'
      FROM generate_series(1, %(files)s) n JOIN scope s ON s.vo = %(vo)s AND s.name = 'bench';
INSERT INTO did (vo, kind, open, scope_id, did_id, account_id, name)
    SELECT %(vo)s, 'D', false, s.scope_id, %(first)s, s.account_id, %(name)s
      FROM scope s WHERE s.vo = %(vo)s AND s.name = 'bench';
INSERT INTO attachment (vo, parent_id, child_id)
    SELECT %(vo)s, %(first)s, %(first)s + n FROM generate_series(1, %(files)s) n;
INSERT INTO collection_tally (vo, slot, did_id, files, size)
    SELECT %(vo)s, 16, %(first)s, %(files)s, sum(1000000000 + n) FROM generate_series(1, %(files)s) n;
INSERT INTO replica (vo, state, rse_id, did_id, size)
    SELECT %(vo)s, 'A', rse.rse_id, %(first)s + n, 1000000000 + n
      FROM generate_series(1, %(files)s) n JOIN rse ON rse.name = ANY(%(rses)s)
"""


def make(ground: Ground, rses: list[str], files: int = FILES) -> str:
    """Make a dataset whose files have replicas on these RSEs; return its name, which the scope is not part of."""
    drawn = ground.raw.execute("SELECT nextval('did_id')").fetchone()
    assert drawn is not None
    first = drawn[0] + 1
    name = f"dataset-{first}"
    known = {"vo": LHCB, "first": first, "files": files, "name": name, "rses": rses}
    for statement in STATEMENTS.split(";\n"):
        ground.admin.execute(statement, known)
    ground.raw.execute("SELECT setval('did_id', %s)", [first + files + 1000])
    return name
