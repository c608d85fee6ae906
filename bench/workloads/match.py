"""`POST /v1/pilot/match` with 100 000 waiting jobs: each request is of another pilot, and gets a job.

A pilot asks once for each job, so its token is one that the server does not remember: both sides check a signature.
The jobs are those of `bench.lhcb`. Raw: `GET /v1/whoami` of the same pilots, by the same driver.
"""

import hashlib
import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from psycopg.sql import SQL, Identifier, Literal
from psycopg.types.json import Jsonb

from bench import lhcb
from bench.driver import AnswerRefused, Driver, Round, encode
from bench.figures import EMPTY_ROUTE, Figure, compare
from bench.ground import LHCB, OTHER, TOKEN_LIFETIME, Ground
from sancho.identity import service as identity

JOBS = 100_000
PILOTS = 1000
LEAST_GIVEN = 0.95
"""Share of the pilots that must get a job, lest a quick No counts as a match."""

FORGET = """
WITH ended AS (
    UPDATE attempt SET state = 'D', ended_at = now() WHERE ended_at IS NULL AND pilot_id = ANY(%s)
    RETURNING job_id, vo)
UPDATE job SET state = 'D' FROM ended WHERE job.job_id = ended.job_id AND job.vo = ended.vo
"""


def measure(ground: Ground, rows: int, rounds: int) -> tuple[Figure, ...]:
    """Jobs given to pilots in a second; the second figure is the empty route's."""
    if not ground.ids("SELECT 'queues', count(*) FROM submission WHERE idempotency_key LIKE 'lhcb-%%'")["queues"]:
        _queue_up(ground, lhcb.queues(JOBS))
    offers = lhcb.offers(PILOTS)
    pilots = _pilots(ground, offers)
    ground.settle()

    driver = ground.driver()

    def tokens() -> list[str]:
        return [
            identity.pilot_token(
                ground.signer,
                identity.PilotHolder(pilot_id=pilot_id, ce_id=ce_id, stamp=stamp, vo=0, vos=[0, LHCB, OTHER], login=""),
                TOKEN_LIFETIME,
            )
            for stamp, (pilot_id, ce_id) in pilots.items()
        ]

    def api() -> Round:
        asking = [encode("POST", "/v1/pilot/match", t, _offer(o)) for t, o in zip(tokens(), offers, strict=True)]
        found = _match(driver, asking)
        ground.admin.execute(FORGET, [[pilot_id for pilot_id, _ in pilots.values()]])
        return found

    def raw() -> Round:
        return driver.run([encode("GET", "/v1/whoami", token) for token in tokens()], items=PILOTS)

    figure, limit = compare("match", rows, api, raw, rounds=rounds)

    return figure, replace(limit, name=EMPTY_ROUTE)


def _match(driver: Driver, asking: Sequence[bytes]) -> Round:
    answers: list[bytes] = []
    found = driver.run(asking, items=len(asking), answers=answers)
    given = sum(body != b"" for body in answers)
    if given < LEAST_GIVEN * len(asking):
        raise AnswerRefused(f"only {given} of {len(asking)} pilots got a job")
    return Round(given, found.seconds, found.latencies)


def _offer(offer: lhcb.PilotOffer) -> dict[str, Any]:
    return {
        "cores": offer.cores, "memory": offer.memory, "walltime": offer.walltime, "tags": list(offer.tags), "held": [],
    }  # fmt: skip


def _pilots(ground: Ground, offers: Sequence[lhcb.PilotOffer]) -> dict[str, tuple[int, int]]:
    """New pilots that run, by stamp: id and CE."""
    known = ground.ids("SELECT coalesce(max(stamp), ''), count(*) FROM pilot")
    first = sum(known.values())
    rows = ground.admin.execute(
        """
        INSERT INTO pilot (vo, state, ce_id, site_id, stamp, secret_hash)
        SELECT 0, 'R', ce.ce_id, ce.site_id, 'pilot-' || lpad((%(first)s + o.n)::text, 12, '0'), ''
          FROM unnest(%(sites)s::text[]) WITH ORDINALITY AS o (site, n)
          JOIN resource s ON s.name = o.site AND s.kind = 'S' JOIN compute_element ce ON ce.site_id = s.resource_id
         ORDER BY o.n
        RETURNING stamp, pilot_id, ce_id
        """,
        {"first": first, "sites": [o.site for o in offers]},
    ).fetchall()
    return {stamp: (pilot_id, ce_id) for stamp, pilot_id, ce_id in rows}


def _queue_up(ground: Ground, queues: Sequence[lhcb.WaitingQueue]) -> None:
    """Load the queues with COPY: submissions, task queues with their sizes, input sets with replicas, jobs."""
    loader = _Loader(ground)
    for number, queue in enumerate(queues, start=1):
        loader.add(number, queue)
    loader.copy()
    for table, column in (
        ("task_queue", "task_queue_id"),
        ("input_set", "input_set_id"),
        ("submission", "submission_id"),
        ("job", "job_id"),
    ):
        ground.admin.execute(
            SQL("SELECT setval({}, 1 + (SELECT max({}) FROM {} WHERE {} < 1000000000))").format(
                Literal(f"{table}_{column}_seq"), Identifier(column), Identifier(table), Identifier(column)
            )
        )


class _Loader:
    """Rows of every table, under ids that go on after those in use; queue, submission and input set share theirs."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.rows: dict[str, list[tuple[Any, ...]]] = {}
        self.groups = ground.ids("SELECT name, group_id FROM account_group WHERE vo = %s", LHCB)
        self.sites = ground.ids("SELECT name, resource_id FROM resource WHERE kind = 'S'")
        self.rses = ground.ids("SELECT s.name, rse.rse_id FROM rse JOIN resource s ON s.resource_id = rse.site_id")
        self.account = ground.ids("SELECT name, account_id FROM account WHERE vo = %s", LHCB)["prod"]
        self.scope = ground.ids("SELECT name, scope_id FROM scope WHERE vo = %s", LHCB)["bench"]
        self.start = ground.ids(
            """
            SELECT 'queue', greatest(nextval('task_queue_task_queue_id_seq'), nextval('submission_submission_id_seq'),
                                     nextval('input_set_input_set_id_seq'))
             UNION ALL SELECT 'did', nextval('did_id')
             UNION ALL SELECT 'job', nextval('job_job_id_seq') + 1000
            """
        )
        self.jobs, self.files = 0, 0
        self.draw = random.Random(2)

    def add(self, number: int, queue: lhcb.WaitingQueue) -> None:
        """One queue, its submission and its jobs."""
        queue_id = self.start["queue"] + number
        self._put("submission (vo, account_id, jobs, submission_id, description, idempotency_key)",
                  LHCB, self.account, queue.jobs, queue_id, Jsonb(_description(queue)), f"lhcb-{number:05d}")  # fmt: skip
        self._put(
            "task_queue (vo, task_queue_id, group_id, account_id, input_set_id, requirements, digest)",
            LHCB, queue_id, self.groups[queue.group], self.account, queue_id if queue.files else None,
            Jsonb([{**_requirements(queue), "sites": [str(self.sites[s]) for s in queue.sites]}]),
            hashlib.sha256(f"lhcb-{number}".encode()).digest(),
        )  # fmt: skip
        self._put("task_queue_slot (vo, slot, task_queue_id, waiting)", LHCB, 0, queue_id, queue.jobs)
        if queue.files:
            self._inputs(queue_id, queue)
        for n in range(queue.jobs):
            job_id = self.start["job"] + self.jobs
            self.jobs += 1
            self._put("job (vo, state, task_queue_id, account_id, job_id)", LHCB, "W", queue_id, self.account, job_id)
            self._put("job_spec (vo, number, job_id, submission_id, parameters)",
                      LHCB, n, job_id, queue_id, Jsonb({"number": n + 1, "seed": job_id}))  # fmt: skip
            self._put("job_history (vo, state, attempt, job_id)", LHCB, "W", 0, job_id)
            self._put("waiting_job (vo, priority, task_queue_id, job_id)", LHCB, 0, queue_id, job_id)

    def _inputs(self, set_id: int, queue: lhcb.WaitingQueue) -> None:
        ids = [self.start["did"] + self.files + n for n in range(len(queue.files))]
        self.files += len(ids)
        self._put("input_set (vo, ready, files, input_set_id, size, digest, roots)",
                  LHCB, True, len(ids), set_id, sum(queue.files), hashlib.sha256(repr(ids).encode()).digest(), ids)  # fmt: skip
        for did_id, size in zip(ids, queue.files, strict=True):
            self._put("did (vo, kind, open, scope_id, did_id, size, account_id, adler32, name)",
                      LHCB, "F", False, self.scope, did_id, size, self.account, did_id, f"lhcb/data/2024/RAW/{did_id:012d}.mdf")  # fmt: skip
            self._put("input_set_did (vo, input_set_id, did_id)", LHCB, set_id, did_id)
            for site in queue.stored_at:
                self._put("replica (vo, state, rse_id, did_id, size)", LHCB, "A", self.rses[site], did_id, size)

    def _put(self, target: str, *row: Any) -> None:
        self.rows.setdefault(target, []).append(row)

    def copy(self) -> None:
        """Write it all."""
        for target, rows in self.rows.items():
            with self.ground.admin.cursor().copy(f"COPY {target} FROM STDIN") as copy:  # pyright: ignore[reportArgumentType]
                for row in rows:
                    copy.write_row(row)
        self.ground.raw.execute("SELECT setval('did_id', %s)", [self.start["did"] + self.files + 1000])
        # As if submitted over the last two days: most have waited longer than a job waits for its best site.
        self.ground.admin.execute(
            "UPDATE job SET changed_at = now() - random() * interval '2 days' WHERE vo = %s AND state = 'W'", [LHCB]
        )
        self.ground.admin.execute("VACUUM FULL job")
        # Who matches hears of new queues from those who fill them.
        self.ground.admin.execute("SELECT pg_notify('task_queue', vo || '.' || task_queue_id) FROM task_queue")


def _description(queue: lhcb.WaitingQueue) -> dict[str, Any]:
    return {
        "name": f"lhcb-{queue.group}", "group": queue.group,
        "command": ["./run", "--seed", "{seed}", "--events", "1000"], "environment": {"CONDITIONS": "sim-2024"},
        "sandbox": None, "inputs": [], "close_datasets": False, "outputs": [], "output_sandbox": ["*.log"],
        "requirements": _requirements(queue), "max_attempts": 3, "priority": 0,
    }  # fmt: skip


def _requirements(queue: lhcb.WaitingQueue) -> dict[str, Any]:
    return {
        "cores": queue.cores, "memory": queue.memory, "walltime": queue.walltime, "tags": list(queue.tags),
        "sites": list(queue.sites), "banned_sites": [],
    }  # fmt: skip
