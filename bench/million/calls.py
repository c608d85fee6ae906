"""What is asked and done, part by part."""

import asyncio
import os
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from bench.million.filling import DID, NAME
from bench.million.showing import Asked, Show
from sancho.kit.deployment import Deployment
from sancho.rules import service as rules
from sancho.rules.service import erasing

ERASED = 2000
"""Runs of the task that erases at most: with a million files, and rules on each, some 100 have something to do."""
DUE = "SELECT 1 FROM ending WHERE ends_at <= now() LIMIT 1"
LISTED = """
import resource, sys, time
import fsspec
fs = fsspec.filesystem("sancho")
fs.info("/")
before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
n = sum(1 for _ in fs.scan(sys.argv[2])) if sys.argv[1] == "scan" else len(getattr(fs, sys.argv[1])(sys.argv[2]))
grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1000
print(f"{n} names, {time.perf_counter() - began:.1f} s, the program grew {grown:.1f} MB")
"""


def _all(show: Show, asked: Iterable[Asked]) -> None:
    for one in asked:
        show.ask(one)


# ---- what is asked


def read(show: Show, places: list[str]) -> None:
    """What only reads, natively."""
    now = quote(datetime.now(UTC).isoformat(), safe="")
    first = f"{NAME}/0000/00000001.dst"
    listed = {"dids": [DID]}
    _all(show, (
        Asked("DID", "GET", f"/v1/dids/{DID}"),
        Asked("DIDs of a scope by name", "GET", "/v1/dids?scope=bench&limit=1000"),
        Asked("DIDs below it, one page", "GET", f"/v1/dids?within={DID}&limit=1000"),
        Asked("DIDs below it, by size", "GET", f"/v1/dids?within={DID}&where=size%20%3C%201100&limit=100"),
        Asked("DIDs below it, that none is", "GET", f"/v1/dids?within={DID}&where=size%20%3C%2010&limit=100"),
        Asked("contents", "GET", f"/v1/contents/{DID}"),
        Asked("contents, one page", "GET", f"/v1/contents/{DID}?limit=1000"),
        Asked("contents as of now", "GET", f"/v1/contents/{DID}?as_of={now}"),
        Asked("files", "GET", f"/v1/files/{DID}"),
        Asked("files as of now", "GET", f"/v1/files/{DID}?as_of={now}"),
        Asked("below", "GET", f"/v1/below/{DID}"),
        Asked("parents of a file", "GET", f"/v1/parents/bench:{first}"),
        Asked("history", "GET", f"/v1/history/{DID}"),
        Asked("tallies", "POST", "/v1/tallies", listed),
        Asked("replicas", "GET", f"/v1/replicas/{DID}"),
        Asked("replicas, of many", "POST", "/v1/replicas/list", listed),
        Asked("access, one page", "POST", "/v1/replicas/access", listed),
        Asked("path of the scope", "GET", "/v1/paths/lhcb/bench/?limit=1000"),
        Asked("path of a directory", "GET", f"/v1/paths/lhcb/bench/{NAME}/?limit=1000"),
        Asked("path of the dataset", "GET", f"/v1/paths/lhcb/bench/{NAME}"),
        Asked("rules on it", "GET", f"/v1/rules?did={DID}"),
        Asked("rule", "GET", "/v1/rules/1"),
        Asked("locks, one page", "GET", "/v1/rules/1/locks?limit=1000"),
        Asked("history of its rules", "GET", f"/v1/rules/history?did={DID}"),
        Asked("metadata, with inheritance", "GET", f"/v1/metadata/of/{DID}?inherit=true"),
        Asked("job that reads it", "POST", "/v1/jobs",
              {"description": {"name": "reader", "command": ["true"], "inputs": [DID]}, "parameters": {"count": 1}}),
        Asked("usage", "GET", "/v1/usage"),
    ))  # fmt: skip
    _ = places


def read_by_rucio(show: Show, places: list[str]) -> None:
    """What only reads, on Rucio's wire."""
    scoped, rule_id = {"scope": "bench", "name": NAME}, f"{1:032x}"
    listed = {"dids": [scoped]}
    of = f"/rucio/dids/bench/{NAME}"
    _all(show, (
        Asked("rucio get_did", "GET", f"{of}?dynamic_depth=FILE"),
        Asked("rucio list_content", "GET", f"{of}/dids"),
        Asked("rucio list_content_history", "GET", f"{of}/dids/history"),
        Asked("rucio list_files", "GET", f"{of}/files"),
        Asked("rucio list_files long", "GET", f"{of}/files?long=1"),
        Asked("rucio bulk_list_files", "POST", "/rucio/dids/bulkfiles", listed),
        Asked("rucio scope_list, recursive", "GET", f"/rucio/dids/bench/?name={NAME}&recursive=true"),
        Asked("rucio scope_list of the scope", "GET", "/rucio/dids/bench/?recursive=true"),
        Asked("rucio list_parent_dids", "GET", f"{of}/parents"),
        Asked("rucio list_dids, recursive", "GET", f"/rucio/dids/bench/dids/search?type=all&name={NAME}&recursive=true"),
        Asked("rucio create_did_sample", "POST", "/rucio/dids/sample",
              {"input_scope": "bench", "input_name": NAME, "output_scope": "bench", "output_name": "sample",
               "nbfiles": 100}),
        Asked("rucio get_metadata", "GET", f"{of}/meta?plugin=ALL"),
        Asked("rucio list_replicas", "POST", "/rucio/replicas/list", listed),
        Asked("rucio list_replicas, parents", "POST", "/rucio/replicas/list", {**listed, "resolve_parents": True}),
        Asked("rucio replicas of one", "GET", f"/rucio/replicas/bench/{NAME}"),
        Asked("rucio list_dataset_replicas", "GET", f"/rucio/replicas/bench/{NAME}/datasets"),
        Asked("rucio list_dataset_replicas_bulk", "POST", "/rucio/replicas/datasets_bulk", listed),
        Asked("rucio list_datasets_per_rse", "GET", f"/rucio/replicas/rse/{places[0]}"),
        Asked("rucio get_dataset_locks", "GET", f"/rucio/locks/bench/{NAME}?did_type=dataset"),
        Asked("rucio get_dataset_locks_by_rse", "GET", f"/rucio/locks/{places[0]}?did_type=dataset"),
        Asked("rucio get_locks_for_dids", "POST", "/rucio/locks/bulk_locks_for_dids",
              {"dids": [{**scoped, "type": "dataset"}]}),
        Asked("rucio list_replica_locks", "GET", f"/rucio/rules/{rule_id}/locks"),
        Asked("rucio examine_replication_rule", "GET", f"/rucio/rules/{rule_id}/analysis"),
        Asked("rucio list_replication_rules", "GET", "/rucio/rules/?account=prod"),
        Asked("rucio list_did_rules", "GET", f"{of}/rules"),
        Asked("rucio list_associated_rules_for_file", "GET", f"{of}/associated_rules"),
        Asked("rucio list_account_rules", "GET", "/rucio/accounts/prod/rules"),
    ))  # fmt: skip


def describe(show: Show, places: list[str]) -> None:
    """Metadata that files inherit, and searches by it."""
    _ = places
    run = quote("run = 7", safe="")
    none = quote("run = 7 & size < 10", safe="")
    _all(show, (
        Asked("metadata set", "POST", "/v1/metadata", {"dids": [{"did": DID, "metadata": {"run": 7}}]}),
        Asked("search by what it says", "GET", f"/v1/dids?where={run}&limit=100"),
        Asked("search with inheritance", "GET", f"/v1/dids?where={run}&inherit=true&limit=100"),
        Asked("search with inheritance, below it", "GET", f"/v1/dids?where={run}&inherit=true&within={DID}&limit=100"),
        Asked("search with inheritance, for none", "GET", f"/v1/dids?where={none}&inherit=true&within={DID}&limit=100"),
        Asked("metadata of a file, inherited", "GET", f"/v1/metadata/of/bench:{NAME}/0000/00000001.dst?inherit=true"),
        Asked("rucio set_metadata, recursive", "POST", f"/rucio/dids/bench/{NAME}/meta/run",
              {"value": 8, "recursive": True}),
    ))  # fmt: skip
    show.tasks("rucio set_metadata, recursive")
    run = quote("run = 8", safe="")
    _all(show, (
        Asked("search by what all say", "GET", f"/v1/dids?where={run}&limit=100"),
        Asked("search by what all say, inherited", "GET", f"/v1/dids?where={run}&inherit=true&limit=100"),
        Asked("search by what all say, below it", "GET", f"/v1/dids?where={run}&within={DID}&limit=100"),
    ))  # fmt: skip


def follow_search(show: Show, places: list[str]) -> None:
    """A smart dataset that finds all, frozen and erased for good."""
    _ = places
    smart = {"did": "bench:smart", "where": "size > 0", "scope": "bench"}
    show.ask(Asked("smart dataset", "POST", "/v1/smart", smart))
    show.tasks("smart dataset")
    _all(show, (
        Asked("smart dataset, looked at again", "POST", "/v1/smart/refresh", {"did": "bench:smart"}),
        Asked("smart dataset frozen", "POST", "/v1/smart/freeze", {"did": "bench:smart"}),
        Asked("smart dataset that is frozen", "GET", "/v1/dids/bench:smart"),
        Asked("smart dataset erased at once", "POST", "/v1/dids/erase", {"dids": ["bench:smart"], "after": 1}),
    ))  # fmt: skip
    time.sleep(2)
    show.run("smart dataset erased at once: to the end", lambda: _erase(show))


def attach_all(show: Show, places: list[str]) -> None:
    """All files are put into another dataset, and into an archive, 10 000 by a call; the latter is listed."""
    _ = places
    names = [f"bench:{NAME}/{n // 10_000:04d}/{n:08d}.dst" for n in range(1, show.files + 1)]
    parts = [names[n : n + 10_000] for n in range(0, len(names), 10_000)]
    show.ask(Asked("another dataset", "POST", "/v1/dids", {"did": "bench:copy", "kind": "dataset"}))
    attached = (Asked("", "POST", "/v1/attachments", {"parent": "bench:copy", "children": part}) for part in parts)
    show.ask_all("attached, 10 000 by a call", attached)
    show.tasks("attached, 10 000 by a call")
    zipped = {"files": [{"did": "bench:all.zip", "size": 1, "adler32": "00000001"}], "rse": places[0]}
    show.ask(Asked("archive", "POST", "/v1/replicas", zipped))
    packed = (
        Asked("", "POST", "/v1/archives",
              {"archives": [{"archive": "bench:all.zip", "files": [{"did": name} for name in part]}]})
        for part in parts
    )  # fmt: skip
    show.ask_all("packed, 10 000 by a call", packed)
    show.ask(Asked("what lies in the archive", "GET", "/v1/archives/bench:all.zip"))
    show.ask(Asked("packed archive erased at once", "POST", "/v1/dids/erase", {"dids": ["bench:all.zip"], "after": 1}))
    time.sleep(2)
    show.run("packed archive erased at once: to the end", lambda: _erase(show))
    show.ask(Asked("files of the other dataset", "GET", "/v1/files/bench:copy"))
    show.ask(Asked("other dataset erased", "POST", "/v1/dids/erase", {"dids": ["bench:copy"]}))
    show.ask(Asked("other dataset restored", "POST", "/v1/dids/restore", {"dids": ["bench:copy"]}))
    show.ask(Asked("other dataset erased at once", "POST", "/v1/dids/erase", {"dids": ["bench:copy"], "after": 1}))
    time.sleep(2)
    show.run("other dataset erased at once: to the end", lambda: _erase(show))


def put_under_rules(show: Show, places: list[str]) -> None:
    """Rules are made, approved, moved, reduced, given away and withdrawn, with the tasks that follow."""
    a, b, c, d = places
    made = show.ask(Asked("rule, all there", "POST", "/v1/rules", {"did": DID, "rse_expression": b, "copies": 1}))
    show.tasks("rule, all there")
    show.ask(Asked("rule given to its account", "PATCH", f"/v1/rules/{_id(made)}", {"account": "prod"}))
    show.ask(Asked("rule withdrawn", "DELETE", f"/v1/rules/{_id(made)}"))
    show.run("rule withdrawn: expire, twice", lambda: _twice(show.deployment))
    waiting = {"did": DID, "rse_expression": f"{a}|{c}", "copies": 2, "ask_approval": True}
    made = show.ask(Asked("rule, half to be copied", "POST", "/v1/rules", waiting))
    show.ask(Asked("rule approved", "POST", f"/v1/rules/{_id(made)}/approve"))
    show.tasks("rule approved")
    show.ask(Asked("rule while it replicates", "GET", f"/v1/rules/{_id(made)}"))
    show.ask(Asked("rule tried at once", "POST", f"/v1/rules/{_id(made)}/retry"))
    show.ask(Asked("rule reduced", "POST", f"/v1/rules/{_id(made)}/reduce", {"copies": 1}))
    show.tasks("rule reduced")
    moved = show.ask(Asked("rule moved", "POST", f"/v1/rules/{_id(made)}/move", {"rse_expression": f"{b}|{d}"}))
    show.tasks("rule moved")
    show.ask(Asked("rucio delete_replication_rule", "DELETE", f"/rucio/rules/{int(_id(moved)):032x}"))


def _id(made: Any) -> str:
    return str(made["rule_id"]) if made and "rule_id" in made else "0"


async def _twice(deployment: Deployment) -> str:
    return f"{await rules.expire(deployment) + await rules.expire(deployment)} rules gone"


def change_contents(show: Show, places: list[str]) -> None:
    """Closed, opened, put into a container under a rule and taken out again."""
    box = {"parent": "bench:box", "children": [DID]}
    made = {"did": "bench:box", "kind": "container"}
    _all(show, (
        Asked("closed", "PATCH", f"/v1/dids/{DID}", {"open": False}),
        Asked("opened", "PATCH", f"/v1/dids/{DID}", {"open": True}),
        Asked("monotonic, by rucio", "PUT", f"/rucio/dids/bench/{NAME}/status", {"open": False}),
        Asked("opened, by rucio", "PUT", f"/rucio/dids/bench/{NAME}/status", {"open": True}),
        Asked("container", "POST", "/v1/dids", made),
        Asked("rule on the container", "POST", "/v1/rules", {"did": "bench:box", "rse_expression": places[0]}),
        Asked("attached", "POST", "/v1/attachments", box),
    ))  # fmt: skip
    show.tasks("attached")
    _all(show, (
        Asked("container's DID", "GET", "/v1/dids/bench:box"),
        Asked("container's files", "GET", "/v1/files/bench:box"),
        Asked("container's dataset replicas, by rucio", "GET", "/rucio/replicas/bench/box/datasets"),
        Asked("container's locks, by rucio", "GET", "/rucio/locks/bench/box?did_type=dataset"),
        Asked("detached", "POST", "/v1/attachments/remove", box),
    ))  # fmt: skip
    show.tasks("detached")
    some = [f"bench:{NAME}/0000/{n:08d}.dst" for n in range(1, min(10_000, show.files))]
    show.ask(Asked("10 000 files detached", "POST", "/v1/attachments/remove", {"parent": DID, "children": some}))
    show.tasks("10 000 files detached")
    before = quote((datetime.now(UTC) - timedelta(seconds=5)).isoformat(), safe="")
    _all(show, (
        Asked("contents as of before", "GET", f"/v1/contents/{DID}?as_of={before}"),
        Asked("history, of 10 000", "GET", f"/v1/history/{DID}"),
        Asked("10 000 files attached", "POST", "/v1/attachments", {"parent": DID, "children": some}),
    ))  # fmt: skip
    show.tasks("10 000 files attached")


def erase_and_undo(show: Show, places: list[str]) -> None:
    """Marked to be erased, and restored."""
    _ = places
    _all(show, (
        Asked("erased, in a month", "POST", "/v1/dids/erase", {"dids": [DID]}),
        Asked("restored", "POST", "/v1/dids/restore", {"dids": [DID]}),
        Asked("lifetime", "PATCH", f"/v1/dids/{DID}", {"lifetime": 3600}),
        Asked("lifetime, by rucio", "PUT", f"/rucio/dids/bench/{NAME}/status", {"lifetime": 3600}),
        Asked("rucio resurrect", "POST", "/rucio/dids/resurrect", [{"scope": "bench", "name": NAME}]),
    ))  # fmt: skip


def ask_the_rest(show: Show, places: list[str]) -> None:
    """What else natively takes a dataset: previews, explanations, exceptions, followers, samples, open data."""
    rule = {"did": DID, "copies": 2, "rse_expression": f"{places[1]}|{places[2]}"}
    until = (datetime.now(UTC) + timedelta(days=99)).isoformat()
    file, here = f"bench:{NAME}/0000/00000001.dst", f"/v1/public/lhcb/dids/{DID}"
    _all(show, (
        Asked("preview of a rule, half to be copied", "POST", "/v1/rules/preview", rule),
        Asked("explanation of its rule", "GET", "/v1/explain/rule/1"),
        Asked("explanation of a file", "GET", f"/v1/explain/file/{file}"),
        Asked("locks on an RSE", "GET", f"/v1/rses/{places[0]}/locks"),
        Asked("metadata of many", "POST", "/v1/metadata/list", {"dids": [DID], "inherit": True}),
        Asked("sample of 100", "POST", "/v1/samples", {"source": DID, "dataset": "bench:some", "files": 100}),
        Asked("followed", "POST", "/v1/dids/follow", {"dids": [DID]}),
        Asked("followers", "GET", f"/v1/followers/{DID}"),
        Asked("lifetime of a month", "PATCH", f"/v1/dids/{DID}", {"lifetime": 30 * 86400}),
        Asked("exception asked for", "POST", "/v1/lifetime-exceptions", {"dids": [DID], "until": until, "reason": "r"}),
        Asked("closed, to be published", "PATCH", f"/v1/dids/{DID}", {"open": False}),
        Asked("publication drafted", "POST", "/v1/publications", {"did": DID}),
        Asked("published", "PATCH", f"/v1/publications/{DID}", {"state": "public", "about": {"title": "t"}}),
        Asked("as strangers see it", "GET", here),
        Asked("its files, as strangers see them", "GET", f"/v1/public/lhcb/files/{DID}?limit=1000"),
        Asked("rucio's open data, with files", "GET", f"/rucio/opendata/dids/bench/{NAME}?files=1"),
        Asked("suspended", "PATCH", f"/v1/publications/{DID}", {"state": "suspended"}),
        Asked("withdrawn from publication", "DELETE", f"/v1/publications/{DID}"),
        Asked("opened again", "PATCH", f"/v1/dids/{DID}", {"open": True}),
    ))  # fmt: skip


def give_up(show: Show, places: list[str]) -> None:
    """Given up with the rules on all its files."""
    _ = places
    show.ask(Asked("given up", "POST", "/v1/rules/withdraw", {"did": DID}))
    show.tasks("given up")


def end(show: Show, places: list[str]) -> None:
    """Erased for good, with all its files."""
    _ = places
    show.ask(Asked("erased at once", "POST", "/v1/dids/erase", {"dids": [DID], "after": 1}))
    time.sleep(2)
    show.run("erased at once: a run", lambda: erasing.erase(show.deployment))
    show.tasks("erased at once")
    show.ask(Asked("restored too late", "POST", "/v1/dids/restore", {"dids": [DID]}))
    show.run("erased at once: to the end", lambda: _erase(show))
    show.ask(Asked("the dataset that is gone", "GET", f"/v1/dids/{DID}"))


async def _erase(show: Show) -> str:
    """Erase what is due, and remove the rules that leave first, until nothing is due any more."""
    gone = runs = 0
    while show.ground.raw.execute(DUE).fetchone() and runs < ERASED:
        gone, runs = gone + await erasing.erase(show.deployment), runs + 1
        await rules.expire(show.deployment)  # a large rule leaves in several runs
    return f"{gone} DIDs in {runs} runs"


def end_archive(show: Show, places: list[str]) -> None:
    """An archive is filled with a million files that lie nowhere else, and erased for good, with all of them."""
    names = [f"bench:packed/{n // 10_000:04d}/{n:08d}.dst" for n in range(1, show.files + 1)]
    parts = [names[n : n + 10_000] for n in range(0, len(names), 10_000)]
    zipped = {"files": [{"did": "bench:alone.zip", "size": 1, "adler32": "00000001"}], "rse": places[0]}
    show.ask(Asked("archive of its own", "POST", "/v1/replicas", zipped))
    packed = (
        Asked("", "POST", "/v1/archives",
              {"archives": [{"archive": "bench:alone.zip", "files": [{"did": name, "size": 1} for name in part]}]})
        for part in parts
    )  # fmt: skip
    show.ask_all("packed with new files, 10 000 by a call", packed)
    show.ask(Asked("what lies in the archive", "GET", "/v1/archives/bench:alone.zip"))
    show.ask(Asked("replicas of the archive", "GET", "/v1/replicas/bench:alone.zip"))
    show.ask(Asked("archive erased at once", "POST", "/v1/dids/erase", {"dids": ["bench:alone.zip"], "after": 1}))
    time.sleep(2)
    show.run("archive erased at once: a run", lambda: erasing.erase(show.deployment))
    show.run("archive erased at once: to the end", lambda: _erase(show))


def list_as_files(show: Show, places: list[str]) -> None:
    """Listed by fsspec, in a process of its own."""
    _ = places
    folder = f"/lhcb/bench/{NAME}/0001"
    for verb, name in (("scan", DID), ("ls", DID), ("find", DID), ("glob", f"{DID}/*1.dst"), ("ls", folder)):
        show.run(f"fsspec {verb} of {name}", lambda v=verb, n=name: _listed(show, v, n))


async def _listed(show: Show, verb: str, name: str) -> str:
    said = {"SANCHO_URL": f"http://127.0.0.1:{show.ground.port}", "SANCHO_TOKEN": show.token, "SANCHO_VO": "lhcb"}
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-c", LISTED, verb, name, env={**os.environ, **said}, stdout=PIPE, stderr=PIPE
    )  # fmt: skip
    out, err = await program.communicate()
    return (out or err[-150:]).decode().strip()


PARTS = (
    read, read_by_rucio, list_as_files, ask_the_rest, describe, follow_search, attach_all, put_under_rules, change_contents,
    erase_and_undo, give_up, end, end_archive,
)  # fmt: skip
"""In this order: the last ones leave less and less of it."""
