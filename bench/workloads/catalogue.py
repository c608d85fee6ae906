"""The catalogue at work: what one DID is, 10 000 attached at once, replicas of 10 000, and a long dataset.

`get_did` stands beside an empty authorised route of the same server (`whoami`), the others beside plain SQL for the
same rows; `list_100k` also says by how much the memory of the API grew meanwhile.
"""

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.driver import AnswerRefused, Driver, Round, encode
from bench.figures import Figure, compare
from bench.ground import LHCB, Ground
from bench.workloads import datasets, list_dataset

CALLS = 4
GETS = 2000
LONG = 100_000
WIRE = "/rucio/replicas/list"

RAW_ATTACH = """
INSERT INTO attachment (vo, parent_id, child_id)
SELECT %(vo)s, %(parent_id)s, d.did_id
  FROM unnest(%(names)s::text[]) AS wanted (name)
  JOIN scope s ON s.vo = %(vo)s AND s.name = 'bench'
  JOIN did d ON d.scope_id = s.scope_id AND d.vo = s.vo AND d.name = wanted.name
"""
RAW_TALLY = """
INSERT INTO collection_tally (vo, slot, did_id, files, size) VALUES (%(vo)s, 0, %(parent_id)s, %(files)s, 0)
"""
RAW_REPLICAS = """
SELECT s.name, d.name, d.size, d.adler32, d.did_id,
       (SELECT array_agg(rse.name || ' ' || r.state::text ORDER BY r.rse_id)
          FROM replica r JOIN rse ON rse.rse_id = r.rse_id WHERE r.did_id = d.did_id AND r.vo = d.vo)
  FROM unnest(%(names)s::text[]) AS wanted (name)
  JOIN scope s ON s.vo = %(vo)s AND s.name = 'bench'
  JOIN did d ON d.scope_id = s.scope_id AND d.vo = s.vo AND d.name = wanted.name
"""

_numbers = itertools.count(1)


def measure(ground: Ground, rows: int, rounds: int) -> tuple[Figure, ...]:
    """All of them, on one dataset of 10 000 files and one of 100 000."""
    name = datasets.make(ground, list_dataset.PLACES)
    names = _names(ground, name)
    with ground.unlimited() as unlimited:
        return _measure(unlimited, rows, rounds, names)


def _measure(ground: Ground, rows: int, rounds: int, names: list[str]) -> tuple[Figure, ...]:
    return (
        _get(ground, rows, rounds, names), _attach(ground, rows, rounds, names),
        *_replicas(ground, rows, rounds, names), _long(ground, rows, rounds),
    )  # fmt: skip


def _names(ground: Ground, dataset: str) -> list[str]:
    query = "SELECT d.name FROM attachment a JOIN did d ON d.did_id = a.child_id AND d.vo = a.vo WHERE a.parent_id = %s"
    return [name for (name,) in ground.admin.execute(query, [int(dataset.rpartition("-")[2])]).fetchall()]


def _get(ground: Ground, rows: int, rounds: int, names: list[str]) -> Figure:
    token, driver = ground.token(), ground.driver()
    asked = [encode("GET", f"/v1/dids/bench:{name}", token) for name in names[:GETS]]
    empty = [encode("GET", "/v1/whoami", token)] * GETS
    return compare(
        "get_did", rows, lambda: driver.run(asked, items=GETS), lambda: driver.run(empty, items=GETS), rounds=rounds
    )[0]


def _attach(ground: Ground, rows: int, rounds: int, names: list[str]) -> Figure:
    token, driver = ground.token(), ground.driver(1)
    children = [f"bench:{name}" for name in names]

    def made() -> str:
        did = f"bench:box-{rows}-{next(_numbers)}"
        driver.run([encode("POST", "/v1/dids", token, {"did": did, "kind": "dataset"})], items=1)
        return did

    def api() -> Round:
        parents = [made() for _ in range(CALLS)]
        bodies = [{"attachments": [{"parent": parent, "children": children}]} for parent in parents]
        return driver.run(
            [encode("POST", "/v1/attachments/many", token, body) for body in bodies], items=CALLS * len(names)
        )

    def raw() -> Round:
        parents = [ground.ids("SELECT 'did', did_id FROM did WHERE name = %s", made().partition(":")[2])["did"]
                   for _ in range(CALLS)]  # fmt: skip

        def attach(parent_id: int) -> None:
            known = {"vo": LHCB, "parent_id": parent_id, "names": names, "files": len(names)}
            with ground.raw.transaction():
                ground.raw.execute(RAW_ATTACH, known)
                ground.raw.execute(RAW_TALLY, known)

        return timed(len(names), [lambda p=parent: attach(p) for parent in parents])

    return compare("attach_10k", rows, api, raw, rounds=rounds)[0]


def _replicas(ground: Ground, rows: int, rounds: int, names: list[str]) -> tuple[Figure, ...]:
    token, driver = ground.token(), ground.driver(1)
    native = encode("POST", "/v1/replicas/list", token, {"dids": [f"bench:{name}" for name in names]})
    wire = encode("POST", WIRE, token, {"dids": [{"scope": "bench", "name": name} for name in names]})
    wire = wire.replace(b"authorization: Bearer ", b"x-rucio-auth-token: ")
    known = {"vo": LHCB, "names": names}

    def raw() -> Round:
        return timed(len(names), [lambda: ground.raw.execute(RAW_REPLICAS, known).fetchall()] * CALLS)

    return tuple(
        compare(name, rows, lambda c=call, m=mark: _complete(driver, c, len(names), m), raw, rounds=rounds)[0]
        for name, call, mark in (("replicas_10k", native, b'{"did"'), ("replicas_10k_rucio", wire, b'"pfns"'))
    )


def _long(ground: Ground, rows: int, rounds: int) -> Figure:
    dataset = datasets.make(ground, list_dataset.PLACES, LONG)
    ground.settle()
    call = encode("GET", f"/v1/replicas/bench:{dataset}", ground.token())
    known = {"vo": LHCB, "did_id": int(dataset.rpartition("-")[2])}
    driver, memory = ground.driver(1), Memory(ground.server)

    def raw() -> Round:
        return timed(LONG, [lambda: ground.raw.execute(list_dataset.RAW, known).fetchall()])

    figure = compare("list_100k", rows, lambda: _complete(driver, call, LONG, b'{"did"', 1), raw, rounds=rounds)[0]
    return replace(figure, grown_mb=round(memory.grown() / 1e6, 1))


def _complete(driver: Driver, call: bytes, files: int, mark: bytes, calls: int = CALLS) -> Round:
    """Ask; each answer must have all files in it."""
    answers: list[bytes] = []
    found = driver.run([call] * calls, items=calls * files, answers=answers)
    if any(body.count(mark) != files for body in answers):
        raise AnswerRefused("a listing is not complete")
    return found


def timed(items: int, calls: Sequence[Callable[[], Any]]) -> Round:
    """One round of calls, one after the other, each of which does so many things."""
    latencies: list[float] = []
    began = time.perf_counter()
    for call in calls:
        at = time.perf_counter()
        call()
        latencies.append((time.perf_counter() - at) * 1000)
    return Round(items * len(calls), time.perf_counter() - began, latencies)


class Memory:
    """What a process holds in memory at most, from now on, beyond what it holds now (Linux, `proc(5)`)."""

    def __init__(self, process: int) -> None:
        """Begin."""
        self.process = Path(f"/proc/{process}")
        (self.process / "clear_refs").write_text("5")
        self.before = self._read("VmRSS")

    def grown(self) -> int:
        """Bytes."""
        return self._read("VmHWM") - self.before

    def _read(self, key: str) -> int:
        lines = dict(line.split(":", 1) for line in (self.process / "status").read_text().splitlines() if ":" in line)
        return int(lines[key].split()[0]) * 1024
