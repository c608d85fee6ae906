"""The crowd: VOs, owners, sites, queues and jobs, made by a seeded generator and SQL."""

import hashlib
import random
from dataclasses import dataclass

from psycopg.sql import SQL, Identifier
from psycopg.types.json import Jsonb

from bench import lhcb
from bench.ground import Ground

OWNERS, SITES, VARIANTS, TAGS = 200, 1000, 10, 300
QUEUES_SEED = 7
VOS = (1, 2, 3)

WORLD = """
INSERT INTO vo (vo, name) VALUES (3, 'third');
SELECT setval('vo_number', 3);
INSERT INTO account_group (vo, name, permissions)
    SELECT v, g, ARRAY['jobs:create'] FROM unnest(ARRAY[1, 2, 3]) v, unnest(ARRAY['one', 'two', 'three', 'four']) g;
INSERT INTO account (vo, kind, name) SELECT 1 + n % 3, 'U', 'owner' || n FROM generate_series(0, 199) n;
INSERT INTO resource (vo, kind, name) SELECT 0, 'S', 'CROWD-' || n FROM generate_series(1, 1000) n;
INSERT INTO resource (vo, kind, site_id, name) SELECT 0, 'C', resource_id, name || '-CE' FROM resource
    WHERE kind = 'S' AND name LIKE 'CROWD-%';
INSERT INTO resource_grant (vo, to_vo, resource_id) SELECT 0, v, resource_id FROM resource, unnest(ARRAY[1, 2, 3]) v
    ON CONFLICT DO NOTHING;
INSERT INTO compute_element (vo, ce_id, site_id, cores, max_pilots, memory, walltime, plugin, tags)
    SELECT 0, resource_id, site_id, 8, 10000, 32000000000, '240 h', 'local',
           ARRAY['x86-64-v2', 'x86-64-v3'] || ARRAY(SELECT 'sw:' || (resource_id * 7 + n) % 300 FROM generate_series(0, 99) n)
      FROM resource WHERE kind = 'C' AND name LIKE 'CROWD-%'
"""
JOBS = """
CREATE TEMP TABLE crowd (vo smallint, task_queue_id int, account_id int, submission_id bigint, jobs int, first_id bigint);
"""
FILL = (
    """
    INSERT INTO job (vo, state, task_queue_id, account_id, job_id) OVERRIDING SYSTEM VALUE
    SELECT q.vo, 'W', q.task_queue_id, q.account_id, q.first_id + n
      FROM crowd q CROSS JOIN generate_series(0, q.jobs - 1) n
    """,
    """
    INSERT INTO job_spec (vo, number, job_id, submission_id, parameters)
    SELECT q.vo, n, q.first_id + n, q.submission_id, '{"number": 1, "seed": 1}'
      FROM crowd q CROSS JOIN generate_series(0, q.jobs - 1) n
    """,
    """
    INSERT INTO waiting_job (vo, priority, task_queue_id, job_id)
    SELECT q.vo, 0, q.task_queue_id, q.first_id + n FROM crowd q CROSS JOIN generate_series(0, q.jobs - 1) n
    """,
)
INDEXES = "SELECT indexdef, indexname FROM pg_indexes WHERE tablename = 'job' AND schemaname = 'sancho' AND indexname <> 'job_pkey'"


@dataclass(frozen=True)
class Crowd:
    """What was filled in: how many jobs, in how many queues, of how many owners."""

    jobs: int
    queues: int
    owners: int


def fill(ground: Ground, jobs: int, *, one_has: float = 0.0) -> Crowd:
    """Let about so many jobs wait; the first owner has this part of them all."""
    for statement in WORLD.split(";\n"):
        ground.admin.execute(statement)
    owners = ground.admin.execute(
        "SELECT vo, account_id FROM account WHERE name LIKE 'owner%' ORDER BY account_id"
    ).fetchall()
    groups = {
        (vo, n): group_id
        for n, name in enumerate(("one", "two", "three", "four"))
        for vo, group_id in ground.admin.execute("SELECT vo, group_id FROM account_group WHERE name = %s", [name])
    }
    sites = [
        r[0]
        for r in ground.admin.execute(
            "SELECT resource_id FROM resource WHERE name LIKE 'CROWD-%' AND kind = 'S' ORDER BY 1"
        )
    ]
    draw = random.Random(QUEUES_SEED)
    known = [one for one in lhcb.counts() for _ in range(VARIANTS)]
    scale = jobs * (1 - one_has) / sum(n for *_, n in known)
    ground.admin.execute(JOBS)
    number, total = 0, 0
    with ground.admin.transaction():
        for number, (group, work, size) in enumerate(known, start=1):
            owner = draw.randrange(len(owners))
            count = max(1, round(size * scale))
            if one_has and number <= len(owners):  # everybody has something that runs anywhere, in one group of each VO
                owner = number - 1
                if owner == 0:
                    count = round(jobs * one_has)
            vo, account_id = owners[owner]
            need = _need(draw, group, work, sites, plain=bool(one_has))
            _queue(ground, number, (vo, account_id, groups[vo, 0 if one_has else owner % 4]), need, count)
            total += count
    _make_jobs(ground)
    return Crowd(total, number, len(owners))


def _need(draw: random.Random, group: str, work: int, sites: list[int], *, plain: bool) -> dict[str, object]:
    cores = 1 if plain else draw.choices((1, 8), (9, 1))[0]
    tags = [] if plain else [f"sw:{draw.randrange(TAGS)}"] * (draw.random() < 0.5) + ["x86-64-v2"] * (group == "mc")
    named = [] if plain or group == "mc" else draw.sample(sites, draw.randint(1, 50))
    return {
        "cores": cores, "memory": cores * 2_000_000_000, "walltime": work / lhcb.HS06_PER_CORE, "tags": tags,
        "sites": [str(site) for site in named], "banned_sites": [],
    }  # fmt: skip


def _queue(ground: Ground, number: int, owner: tuple[int, int, int], need: dict[str, object], jobs: int) -> None:
    vo, account_id, group_id = owner
    description = {
        "name": "crowd", "group": "one", "command": ["./run", "{seed}"], "environment": {}, "sandbox": None, "inputs": [],
        "close_datasets": False, "outputs": [], "output_sandbox": [], "requirements": need, "max_attempts": 3, "priority": 0,
    }  # fmt: skip
    params = {
        "vo": vo, "account": account_id, "jobs": jobs, "description": Jsonb(description), "group": group_id,
        "need": Jsonb([need]), "digest": hashlib.sha256(str(number).encode()).digest(),
    }  # fmt: skip
    ground.admin.execute(
        """
        WITH said AS (
            INSERT INTO submission (vo, account_id, jobs, description) VALUES (%(vo)s, %(account)s, %(jobs)s, %(description)s)
            RETURNING submission_id),
        queue AS (
            INSERT INTO task_queue (vo, group_id, account_id, requirements, digest)
            VALUES (%(vo)s, %(group)s, %(account)s, %(need)s, %(digest)s) RETURNING task_queue_id),
        counted AS (
            INSERT INTO task_queue_slot (vo, slot, task_queue_id, waiting) SELECT %(vo)s, 0, task_queue_id, %(jobs)s FROM queue)
        INSERT INTO crowd (vo, task_queue_id, account_id, submission_id, jobs, first_id)
        SELECT %(vo)s, task_queue_id, %(account)s, submission_id, %(jobs)s,
               coalesce((SELECT max(first_id + jobs) FROM crowd), 1000) FROM queue, said
        """,
        params,
    )


def _make_jobs(ground: Ground) -> None:
    """Insert the jobs, with the indexes made after: ten million rows one by one take six times as long."""
    indexes = ground.admin.execute(INDEXES).fetchall()
    for _, name in indexes:
        ground.admin.execute(SQL("DROP INDEX {}").format(Identifier(name)))
    for statement in FILL:
        ground.admin.execute(statement)
    for definition, _ in indexes:
        ground.admin.execute(definition)
    ground.admin.execute("SELECT setval('job_job_id_seq', (SELECT max(first_id + jobs) + 1000 FROM crowd))")
    ground.admin.execute("SELECT pg_notify('task_queue', vo || '.' || min(task_queue_id)) FROM crowd GROUP BY vo")
    ground.settle()
