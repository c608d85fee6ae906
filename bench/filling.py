"""Rows that have nothing to do with what is measured: they make tables and indexes as deep as those of a busy grid.

`rows` of them lie in each of did, attachment, replica, lock, job, job_spec, job_history and attempt, six of seven in
the measured VO. Files have one replica and one lock, datasets 10 000 files; jobs are done after one attempt.
"""

from bench.ground import LHCB, OTHER, Ground

FILES = 10_000
"""Files of a dataset; so many rows are filled in at least."""
AFTER = 1_000_000_000
"""Ids of rules and jobs of unrelated rows begin here, so that they are in nobody's way."""

STATEMENTS = """
INSERT INTO did (vo, kind, open, scope_id, did_id, size, account_id, adler32, name)
    SELECT n.vo, 'F', false, n.scope_id, %(did)s + n.n, 1000000000 + n.n, n.account_id, n.n::int,
           'lhcb/MC/2024/DIGI/00' || 100000 + n.n / 1000 || '/0000/00' || 100000 + n.n / 1000 || '_' || lpad(n.n::text, 8, '0') || '_5.digi'
      FROM n;
INSERT INTO did (vo, kind, open, scope_id, did_id, account_id, name)
    SELECT n.vo, 'D', false, n.scope_id, %(did)s + %(wanted)s + n.n / 10000, n.account_id, 'dataset-' || %(did)s + n.n
      FROM n WHERE n.n %% 10000 = 0;
INSERT INTO attachment (vo, parent_id, child_id)
    SELECT d.vo, d.did_id, %(did)s + n.n FROM n
      JOIN did d ON d.did_id = %(did)s + %(wanted)s + n.n / 10000 AND d.vo = n.vo;
INSERT INTO replica (vo, state, rse_id, did_id, size, lock_count)
    SELECT n.vo, 'A', n.rse_id, %(did)s + n.n, 1000000000 + n.n, 1 FROM n;
INSERT INTO rule (vo, copies, account_id, rule_id, did_id, ok) OVERRIDING SYSTEM VALUE
    SELECT n.vo, 1, n.account_id, %(other)s + n.n, %(did)s + %(wanted)s + n.n / 10000, 10000 FROM n WHERE n.n %% 10000 = 0;
INSERT INTO rule_detail (vo, rule_id, rse_ids, rse_expression)
    SELECT n.vo, %(other)s + n.n, ARRAY[n.rse_id], 'tier=1' FROM n WHERE n.n %% 10000 = 0;
INSERT INTO lock (vo, rse_id, did_id, rule_id, size)
    SELECT n.vo, n.rse_id, %(did)s + n.n, %(other)s + n.n / 10000 * 10000, 1000000000 + n.n FROM n;
INSERT INTO job (vo, state, attempts, task_queue_id, account_id, site_id, job_id) OVERRIDING SYSTEM VALUE
    SELECT n.vo, 'D', 1, 0, n.account_id, n.rse_id, %(other)s + n.n FROM n;
INSERT INTO job_spec (vo, number, job_id, submission_id, parameters)
    SELECT n.vo, n.n %% 10000, %(other)s + n.n, 0, '{"number": 1, "seed": 1}' FROM n;
INSERT INTO job_history (vo, state, attempt, site_id, job_id)
    SELECT n.vo, s, 1, n.rse_id, %(other)s + n.n FROM n, unnest(ARRAY['W', 'M', 'R', 'C', 'D']::"char"[]) s;
INSERT INTO attempt (vo, state, number, site_id, job_id, attempt_id, pilot_id, ended_at) OVERRIDING SYSTEM VALUE
    SELECT n.vo, 'D', 1, n.rse_id, %(other)s + n.n, %(other)s + n.n, 0, now() FROM n
"""

DATA = 7
"""So many of them are about data."""

NUMBERED = """
WITH site AS (SELECT array_agg(rse_id ORDER BY rse_id) AS ids FROM rse),
n AS (
    SELECT i.n, s.vo, s.scope_id, s.account_id, site.ids[1 + i.n % array_length(site.ids, 1)] AS rse_id
      FROM generate_series(%(present)s, %(wanted)s - 1) AS i (n)
      JOIN scope s ON s.name = 'unrelated' AND s.vo = CASE WHEN i.n / 10000 % 7 = 6 THEN %(other_vo)s ELSE %(vo)s END
     CROSS JOIN site)
""".replace(" % ", " %% ")


def fill(ground: Ground, present: int, wanted: int, *, jobs: bool = True) -> None:
    """Bring the number of unrelated rows from `present` to `wanted`, and the statistics up to date.

    Without `jobs` only the tables of data are filled.
    """
    rows = wanted - present
    if rows > 0:
        first = ground.raw.execute("SELECT nextval('did_id')").fetchone()
        assert first is not None
        known = {
            "did": first[0] + 1 - present, "other": AFTER, "present": present, "wanted": wanted, "vo": LHCB,
            "other_vo": OTHER,
        }  # fmt: skip
        for statement in STATEMENTS.split(";\n")[: None if jobs else DATA]:
            ground.admin.execute(NUMBERED + statement, known)
        ground.raw.execute("SELECT setval('did_id', %s)", [known["did"] + wanted + wanted // FILES + 1])
    ground.settle()
