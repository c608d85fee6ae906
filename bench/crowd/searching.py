"""Searches among the crowd's jobs, of which some have ended at sites: pages of a hundred, without a total."""

import statistics
from collections.abc import Sequence
from urllib.parse import quote

from rich.console import Console

from bench.crowd.filling import VOS
from bench.driver import encode
from bench.ground import LHCB, Ground

TIMES, ENDED = 40, 100_000
JOB = b'"job_id"'
SEARCHES = (
    "state = done", "state = failed & site = CROWD-17", "account = owner0", "account = owner3 & state = waiting",
    "ended_at >= 2020-01-01 & state = done", "site = CROWD-500", "id between 2000 and 50000", "submission = {submission}",
    "submission = {submission} & state = waiting", "param.CPUTime > 9000", "param.HostName = wn17.crowd",
    "param.HostName = wn17.crowd & state = failed", "state in (done, failed) & account = owner3",
    "group = one & state = waiting", "state = waiting & memory > 1GB",
)  # fmt: skip
"""By every field that has an index, alone and with others."""
END = """
UPDATE job SET state = (ARRAY['D', 'D', 'D', 'F'])[1 + job_id %% 4]::"char", attempts = 1, changed_at = now() - job_id %% 90 * interval '1 day',
       site_id = (SELECT min(resource_id) FROM resource WHERE kind = 'S' AND name LIKE 'CROWD-%%') + job_id %% 1000
 WHERE (job_id, vo) IN (SELECT job_id, vo FROM job WHERE vo = %(vo)s AND job_id %% %(each)s = 0)
"""
SAY = """
INSERT INTO job_parameter (vo, said_by, job_id, name, number, word, value)
SELECT vo, 'J', job_id, name, CASE name WHEN 'CPUTime' THEN job_id %% 10000 END,
       CASE name WHEN 'HostName' THEN 'wn' || job_id %% 1000 || '.crowd' END,
       CASE name WHEN 'CPUTime' THEN to_jsonb(job_id %% 10000) ELSE to_jsonb('wn' || job_id %% 1000 || '.crowd') END
  FROM job CROSS JOIN unnest(ARRAY['CPUTime', 'HostName']) name WHERE vo = %(vo)s AND state IN ('D', 'F')
"""


def measure(ground: Ground, console: Console, jobs: int) -> None:
    """End some jobs, then search, one after the other; say how long the middle and the slow ones took."""
    for vo in VOS:
        ground.admin.execute(END, {"vo": vo, "each": max(1, jobs // ENDED)})
        ground.admin.execute(SAY, {"vo": vo})
    ground.settle()
    token, driver = ground.token(), ground.driver(1)
    every: list[float] = []
    largest = ground.ids("SELECT 'n', submission_id FROM submission WHERE vo = %s ORDER BY jobs DESC LIMIT 1", LHCB)[
        "n"
    ]
    for search in SEARCHES:
        where = search.format(submission=largest)
        answers: list[bytes] = []
        call = encode("GET", f"/v1/jobs?limit=100&where={quote(where)}", token)
        driver.run([call], items=1)
        found = driver.run([call] * TIMES, items=TIMES, answers=answers)
        every += found.latencies
        console.print(f"{where}: {answers[0].count(JOB)} jobs, {_told(found.latencies)}", markup=False)
    console.print(f"all of them: {_told(every)}")


def _told(latencies: Sequence[float]) -> str:
    hundred = statistics.quantiles(latencies, n=100, method="inclusive")
    return f"p50 {hundred[49]:.1f} ms, p95 {hundred[94]:.1f} ms, p99 {hundred[98]:.1f} ms"
