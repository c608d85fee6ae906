"""Two VOs with the same names of everything: neither sees, changes or so much as learns of what the other has.

Every native route is asked by belle about gridpp's things; the answer is the one for things that do not exist.
"""

import contextlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import httpx2
import psycopg
import pytest

from tests.journeys.asking import NATIVE, PRESIGNED, PUBLIC, Ask, good
from tests.journeys.given import ADLER, CONTENT, OFFER, PASSWORD, SHA256, Contents, Filled, Grid, description
from tests.journeys.refused import check_refused

pytestmark = pytest.mark.xdist_group("isolation")

BELLE, GRIDPP = 1, 2
BY_WHAT_THEY_CARRY = {"POST /auth/token", "POST /auth/revoke", "POST /pilot/login", *PRESIGNED, *PUBLIC}
"""Routes that know no caller: whoever has gridpp's secret is gridpp, and what it has made public is everybody's."""
NOT_TWICE = {"POST /pilot/match", "POST /pilot/retire"}
"""Routes that answer differently the second time, whatever the ids in the request."""
OWNERS: Mapping[str, str] = {
    "job_id": "job", "job_ids": "job", "rule_id": "rule", "intent_id": "intent", "attempt_id": "attempt",
    "submission_id": "submission", "request_id": "transfer_request", "account_id": "account",
    "group_id": "account_group", "exception_id": "lifetime_exception", "changed": "job",
}  # fmt: skip
"""Which table has the ids that an answer calls so."""
COLUMNS = {"changed": "job_id", "job_ids": "job_id"}


class Neighbour:
    """What belle must not see: gridpp's ids, and its name, which stands in all texts that it wrote."""

    def __init__(self, grid: Grid) -> None:
        self.contents = Contents(grid.owner_url, where="vo = 2")
        self.before = self.contents.read()
        with psycopg.connect(grid.owner_url, options="-c search_path=sancho") as conn:
            self.ids = {name: self._read(conn, COLUMNS.get(name, name), table) for name, table in OWNERS.items()}
        assert all(self.ids.values())

    @staticmethod
    def _read(conn: "psycopg.Connection[Any]", column: str, table: str) -> set[int]:
        query: Any = f"SELECT {column} FROM {table} WHERE vo = {GRIDPP}"
        return {row[0] for row in conn.execute(query).fetchall()}

    def check_unseen(self, answer: httpx2.Response, what: str, *, named: bool = False) -> None:
        """An answer holds no id of gridpp's, nor its name, unless the question `named` it."""
        assert answer.status_code < 500, (what, answer.text)
        for name, value in () if named else _fields(answer):
            assert value not in self.ids.get(name, ()), (what, name, value)
        assert named or "gridpp" not in answer.text.lower(), (what, answer.text)

    def check_unchanged(self, what: str) -> None:
        """Nothing of gridpp's has changed."""
        after = self.contents.read()
        assert after == self.before, (what, [t for t in after if after[t] != self.before[t]])


def _fields(answer: httpx2.Response) -> Iterator[tuple[str, Any]]:
    """Every named value in an answer, of JSON or of lines of JSON; those of a list have the name of the list."""
    if "json" not in answer.headers.get("content-type", ""):
        return
    lines = answer.text.splitlines() if "ndjson" in answer.headers["content-type"] else [answer.text]
    left: list[tuple[str, Any]] = [("", json.loads(line)) for line in lines if line]
    while left:
        name, value = left.pop()
        if isinstance(value, dict):
            left += value.items()
        elif isinstance(value, list):
            left += [(name, one) for one in value]
        else:
            yield name, value


@pytest.fixture(scope="module")
def neighbour(grid: Grid) -> Iterator[Neighbour]:
    made = Neighbour(grid)
    yield made
    made.contents.close()


@pytest.fixture(scope="module")
def phantom(grid: Grid) -> Filled:
    """A VO that does not exist, with things that do not exist."""
    ids = {name: 10**9 + n for n, name in enumerate(grid.gridpp.ids)}
    names = dict.fromkeys(grid.gridpp.names, "99999999-9999-4999-8999-999999999999")
    pilot = replace(grid.gridpp.pilot, stamp="stamp-nowhere")
    return replace(grid.gridpp, vo="nowhere", ids=ids, names=names, pilot=pilot)


def people(ask: Ask) -> list[Ask]:
    """The same request as somebody of the VO, and as its administrator, who may do everything there."""
    if ask.account in (None, "pilot", "job"):
        return [ask]
    return [replace(ask, account=account, vo=None) for account in ("alice", "root")]


def test_no_route_is_left_out(grid: Grid) -> None:
    assert set(good(grid.gridpp)) == set(NATIVE)
    assert set(NATIVE) >= BY_WHAT_THEY_CARRY | NOT_TWICE


@pytest.mark.parametrize("route", sorted(set(NATIVE) - BY_WHAT_THEY_CARRY - NOT_TWICE))
async def test_what_belongs_to_the_other_vo_does_not_exist(
    grid: Grid, neighbour: Neighbour, phantom: Filled, route: str
) -> None:
    theirs, nobodys = good(grid.gridpp)[route], good(phantom)[route]
    foreign = theirs != nobodys
    for their, nobody in zip(people(theirs), people(nobodys), strict=True):
        answer = await their.send(grid.belle)
        what = f"{route} as {their.account}: {answer.status_code} {answer.text[:300]}"
        neighbour.check_unchanged(what)
        neighbour.check_unseen(answer, what, named=foreign)
        if foreign:
            same = await nobody.send(grid.belle)
            assert answer.status_code == same.status_code, what
            named = [pair for pair in zip(_words(their), _words(nobody), strict=True) if pair[0] != pair[1]]
            left = _faceless(answer, [word.strip('"') for word, _ in named])
            assert left == _faceless(same, [word.strip('"') for _, word in named]), what


def _faceless(answer: httpx2.Response, named: list[str]) -> str:
    """What is answered without what the question named, and without what differs each time."""
    text = re.sub(r'"(trace_id|token)":"[^"]*"', "", answer.text)
    for word in named:
        text = re.sub(rf"\b{re.escape(word)}\b", "#", text)
    return text


def _words(ask: Ask) -> list[str]:
    """Every number and text of a question, in order."""
    return re.findall(r'"[^"]*"|\d+', json.dumps([ask.names, ask.query, ask.body]))


@pytest.mark.parametrize("route", sorted(route for route in NATIVE if route.startswith("GET ")))
async def test_a_list_shows_nothing_of_the_other_vo(grid: Grid, neighbour: Neighbour, route: str) -> None:
    mine = good(grid.belle)[route]
    needed = {"scope", "expression"} if route in ("GET /dids", "GET /rses:resolve") else set[str]()
    query = {k: v for k, v in mine.query.items() if k in needed} | ({"expression": "*"} if "resolve" in route else {})
    for ask in people(replace(mine, query=query)):
        neighbour.check_unseen(await ask.send(grid.belle), f"{route} as {ask.account}")


async def test_without_a_token_one_reads_what_a_vo_has_made_public_and_nothing_else(
    grid: Grid, phantom: Filled
) -> None:
    async def read(ask: Ask, vo: Filled, **names: str) -> tuple[int, str]:
        answer = await ask.with_names(**names).send(vo)
        return answer.status_code, re.sub(r'"trace_id":"[^"]*"', "", answer.text)

    listed = good(grid.gridpp)["GET /public/{vo}/dids"]
    status, text = await read(listed, grid.belle)
    assert (status, [one["did"] for one in json.loads(text)["items"]]) == (200, ["mc:raw"])
    for route in sorted(PUBLIC - {"GET /public/{vo}/dids"}):
        ask = good(grid.gridpp)[route]
        assert (await read(ask, grid.belle))[0] == 200
        nothing = await read(ask, grid.belle, did="mc:nothing")
        assert nothing[0] == 404
        for hidden in ("mc:mine", "mc:raw/1", "mc:box"):  # a draft, a file of what is public, what is not published
            there = await read(ask, grid.belle, did=hidden)
            assert (there[0], there[1].replace(hidden, "mc:nothing")) == nothing, (route, hidden)
        assert (await read(good(phantom)[route], grid.belle))[0] == 404
    assert (await read(good(phantom)["GET /public/{vo}/dids"], grid.belle))[0] == 404


async def test_secrets_of_one_vo_open_nothing_in_the_other(grid: Grid, phantom: Filled) -> None:
    for vo in (grid.gridpp, phantom):
        login = good(vo)["POST /auth/token"]
        form = {**(login.form or {}), "password": f"{PASSWORD} belle"}
        assert check_refused(await replace(login, form=form).send(grid.belle))["code"] == "login_refused"
        proof = good(vo)["POST /pilot/login"]
        body = {**proof.body, "secret": grid.belle.pilot.secret}
        assert check_refused(await replace(proof, body=body).send(grid.belle))["code"] == "pilot_unknown"


async def test_a_presigned_url_opens_only_what_it_was_signed_for(grid: Grid, neighbour: Neighbour) -> None:
    job = grid.belle.ids["job_done"]
    url = (await grid.belle.ask("GET", f"/jobs/{job}/sandbox"))["url"]
    assert (await grid.served.client.get(url)).content == b"tar"
    theirs = (await grid.gridpp.ask("GET", f"/jobs/{grid.gridpp.ids['job_done']}/sandbox"))["url"]
    neighbour.before = neighbour.contents.read()  # what gridpp asked for itself is in its log
    moved = theirs.partition("?")[0] + "?" + url.partition("?")[2]
    for changed in (moved, url.replace("sandboxes/1/", "sandboxes/2/")):
        assert check_refused(await grid.served.client.get(changed))["code"] == "signature_wrong"
        assert check_refused(await grid.served.client.put(changed, content=b"x"))["status"] in (403, 422)
    neighbour.check_unchanged("presigned")


async def test_a_sandbox_of_the_other_vo_is_not_there(grid: Grid) -> None:
    theirs = (await grid.gridpp.ask("GET", f"/jobs/{grid.gridpp.ids['job_done']}/sandbox"))["url"]
    sha256 = theirs.partition(".tar.gz")[0].rpartition("/")[2]
    said = {"description": description("thief", sandbox=sha256)}

    answer = await grid.served.send("POST", "/jobs", json=said)
    announced = await grid.belle.ask("POST", "/sandboxes", {"sha256": sha256, "size": 3}, status=201)

    assert check_refused(answer)["code"] == "sandbox_missing"
    assert announced["url"] is not None, "content that only the other VO has is not said to be there"


async def test_an_idempotency_key_is_the_vos_own(grid: Grid) -> None:
    said = {"description": description("waiting", sandbox=SHA256), "idempotency_key": "key-waiting"}
    again = await grid.belle.ask("POST", "/jobs", said, status=201)
    assert (again["repeated"], again["job_ids"]) == (True, [grid.belle.ids["job_waiting"]])


# ---- pilots


@pytest.mark.parametrize(
    "route", sorted(r for r in NATIVE if not re.search("/pilot/|/job(/|$)", r) and r != "GET /whoami")
)
async def test_a_pilot_may_use_none_of_the_routes_of_people(grid: Grid, route: str) -> None:
    if route not in BY_WHAT_THEY_CARRY:
        answer = await replace(good(grid.belle)[route], account="pilot").send(grid.belle)
        assert check_refused(answer)["code"] == "not_for_pilots"


async def test_a_pilot_is_told_who_it_is_and_nothing_else(grid: Grid) -> None:
    answer = await replace(good(grid.belle)["GET /whoami"], account="pilot").send(grid.belle)
    assert (answer.status_code, answer.json()["permissions"]) == (200, ["pilots:report"])


async def test_a_pilot_of_a_ce_of_one_vo_gets_its_jobs_inputs_and_paths_alone(grid: Grid, neighbour: Neighbour) -> None:
    """gridpp has a job that would fit; belle's pilot runs all of belle's, then there is nothing for it."""
    pilot, held = grid.belle.pilot.token, [grid.belle.ids["attempt_running"]]
    answer = await grid.served.send("POST", "/pilot/match", token=pilot, json=OFFER | {"held": held})
    while answer.status_code == 200 and len(held) < 20:
        neighbour.check_unseen(answer, "match")
        given = answer.json()
        held.append(given["attempt_id"])
        assert all("/belle/" in source["url"] for each in given["inputs"] for source in each["sources"])
        made = {"outputs": [{"number": 0, "size": 1, "adler32": "00000001"}]}
        path = f"/pilot/attempts/{given['attempt_id']}"
        for more, body in (("/outputs", made), ("/sandbox", {"size": 1, "sha256": "7" * 64})):
            neighbour.check_unseen(await grid.served.send("POST", path + more, token=pilot, json=body), more)
        answer = await grid.served.send("POST", "/pilot/match", token=pilot, json=OFFER | {"held": held})
    assert answer.status_code == 204
    waiting = await grid.gridpp.ask("GET", f"/jobs/{grid.gridpp.ids['job_waiting']}")
    assert waiting["state"] == "waiting"
    neighbour.check_unchanged("match")


async def test_an_rse_that_is_withdrawn_is_refused_at_once_and_results_go_elsewhere(grid: Grid) -> None:
    belle, pilot = grid.belle, grid.belle.pilot.token
    said = description("moved", inputs=[])
    said["outputs"][0] = {"path": "x", "did": "mc:moved", "rule": {"copies": 1, "rse_expression": "BELLE-DISK"}}
    await belle.ask("POST", "/jobs", {"description": said}, status=201)
    everything = {"held": list(range(1, 1000))}
    given = (await grid.served.send("POST", "/pilot/match", token=pilot, json=OFFER | everything)).json()
    path, body = (
        f"/attempts/{given['attempt_id']}",
        {"outputs": [{"number": 0, "size": len(CONTENT), "adler32": ADLER}]},
    )
    assert (await belle.report(f"{path}/outputs", body))["uploads"][0]["rse"] == "BELLE-DISK"

    gone = {"documents": [{"kind": "Grant", "name": "BELLE-DISK", "remove": True}]}
    withdrawn = await grid.served.send("POST", "/configuration/apply", vo="instance", account="root", json=gone)
    commit = await grid.served.send("POST", "/uploads/commit", json={"intents": [belle.ids["upload_there"]]})
    again = (await belle.report(f"{path}/outputs", body))["uploads"][0]
    belle.served.put(again["url"], CONTENT)
    finished = await belle.report(f"{path}/finish", {"outcome": "done", "intents": [again["intent_id"]]})

    assert withdrawn.status_code == 200
    assert check_refused(commit)["code"] == "upload_incomplete"
    assert again["rse"] == "A-DISK"
    assert finished == {"state": "done"}


# ---- the second lock

UNWALLED = {"vo", "migration"}
"""Tables that hold nothing of any VO but its name."""
EMPTY_HERE = {"deletion", "transfer", "closing_dataset", "pending_job", "audit_gap"}
"""Tables in which this grid has no row of gridpp."""
OF_INSTANCE = {
    "resource", "resource_grant", "compute_element", "rse", "rse_protocol", "rse_report", "distance",
    "pilot", "pilot_beat", "downtime",
}  # fmt: skip
"""Tables of the topology, which the VO `instance` owns, and of the pilots there."""


def _tables(conn: "psycopg.Connection[Any]") -> list[str]:
    rows = conn.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'sancho'::regnamespace AND relkind IN ('r', 'p')"
        " AND NOT relispartition ORDER BY 1"
    )
    return [row[0] for row in rows.fetchall()]


@pytest.fixture
def owner(grid: Grid) -> Iterator["psycopg.Connection[Any]"]:
    with psycopg.connect(grid.owner_url, autocommit=True, options="-c search_path=sancho") as conn:
        conn.execute(
            """
            INSERT INTO shared_input (vo, input_set_id, owner, names)
            SELECT vo, input_set_id, 'na62', '{raw:run1}' FROM input_set ON CONFLICT DO NOTHING
            """
        )
        conn.execute(
            "INSERT INTO rse_report (vo, rse_id, reported_at, used, source)"
            " SELECT vo, rse_id, now(), 1, 'srm' FROM rse ON CONFLICT DO NOTHING"
        )
        conn.execute("INSERT INTO job_silence (vo, job_id) SELECT vo, min(job_id) FROM job GROUP BY 1")
        conn.execute("""
            INSERT INTO job_taking (vo, attempts, account_id, job_id)
            SELECT vo, attempts, account_id, job_id FROM job WHERE job_id IN (SELECT min(job_id) FROM job GROUP BY vo)
        """)
        yield conn


@pytest.fixture
def belle(grid: Grid) -> Iterator["psycopg.Connection[Any]"]:
    """A transaction of the server's own role that serves belle, and is taken back."""
    with psycopg.connect(grid.served.url, options="-c search_path=sancho") as conn:
        conn.execute("SELECT set_config('sancho.vo', '1', true)")
        yield conn
        conn.rollback()


def test_every_table_has_a_wall(owner: "psycopg.Connection[Any]") -> None:
    walled = owner.execute(
        "SELECT c.relname FROM pg_class c JOIN pg_policy p ON p.polrelid = c.oid"
        " WHERE c.relnamespace = 'sancho'::regnamespace AND c.relrowsecurity"
    ).fetchall()
    assert set(_tables(owner)) - {row[0] for row in walled} <= UNWALLED


def test_a_transaction_that_serves_belle_sees_no_row_of_gridpp(
    owner: "psycopg.Connection[Any]", belle: "psycopg.Connection[Any]"
) -> None:
    empty: set[str] = set()
    for table in set(_tables(owner)) - UNWALLED:
        query: Any = f"SELECT count(*) FROM {table} WHERE vo = {GRIDPP}"
        counts = [conn.execute(query).fetchone() for conn in (owner, belle)]
        assert counts[1] == (0,), table
        if counts[0] == (0,):
            empty.add(table)
    assert empty <= EMPTY_HERE | OF_INSTANCE


def test_a_transaction_that_serves_belle_sees_no_resource_that_is_not_granted_to_it(
    owner: "psycopg.Connection[Any]", belle: "psycopg.Connection[Any]"
) -> None:
    rows = owner.execute("SELECT resource_id FROM resource WHERE name LIKE 'GRIDPP-%'").fetchall()
    theirs = [row[0] for row in rows]
    assert len(theirs) == 2
    columns = {
        "resource": "resource_id", "resource_grant": "resource_id", "compute_element": "ce_id", "rse": "rse_id",
        "rse_protocol": "rse_id", "rse_report": "rse_id", "downtime": "resource_id",
    }  # fmt: skip
    for table, column in columns.items():
        query: Any = f"SELECT count(*) FROM {table} WHERE {column} = ANY(%s)"
        assert belle.execute(query, [theirs]).fetchone() == (0,), table
    assert belle.execute("SELECT count(*) FROM resource_grant WHERE to_vo <> 1").fetchone() == (0,)


def test_a_transaction_that_serves_belle_changes_and_moves_no_row_to_gridpp(
    owner: "psycopg.Connection[Any]", belle: "psycopg.Connection[Any]"
) -> None:
    for table in set(_tables(owner)) - UNWALLED:
        change: Any = f"UPDATE {table} SET vo = vo WHERE vo <> {BELLE}"
        move: Any = f"UPDATE {table} SET vo = {GRIDPP}"
        delete: Any = f"DELETE FROM {table} WHERE vo = {GRIDPP}"
        for statement in (delete, change, move):
            touched = 0
            with contextlib.suppress(psycopg.errors.InsufficientPrivilege), belle.transaction():
                touched = belle.execute(statement).rowcount
            assert touched == 0, table


def test_a_partition_cannot_be_read_past_its_wall(
    owner: "psycopg.Connection[Any]", belle: "psycopg.Connection[Any]"
) -> None:
    rows = owner.execute("SELECT oid::regclass::text FROM pg_class WHERE relispartition AND relkind = 'r'").fetchall()
    assert len(rows) > 4
    for (partition,) in rows:
        query: Any = f"SELECT count(*) FROM {partition}"
        with pytest.raises(psycopg.errors.InsufficientPrivilege), belle.transaction():
            belle.execute(query)


def test_a_transaction_that_serves_nobody_sees_nothing(grid: Grid, owner: "psycopg.Connection[Any]") -> None:
    with psycopg.connect(grid.served.url, autocommit=True, options="-c search_path=sancho") as conn:
        for table in set(_tables(owner)) - UNWALLED:
            query: Any = f"SELECT count(*) FROM {table}"
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="serves no VO"):
                conn.execute(query)
