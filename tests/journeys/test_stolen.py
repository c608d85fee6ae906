"""What a thief reaches with each credential, counted on a filled grid: `docs/explanation/stolen-credentials.md`.

Objects are files and collections, jobs, rules, uploads, accounts and pilots of the VO that was robbed (belle), as
the database has them. What is *seen* was shown by an answer; what is *changed* was changed, one after the other. Of
the other VO (gridpp) nothing may be reached by anybody.
"""

import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.journeys.asking import NATIVE, PRESIGNED, PUBLIC, good
from tests.journeys.conftest import Untouched
from tests.journeys.given import ADLER, CONTENT, OFFER, Filled, Grid
from tests.journeys.refused import check_refused

pytestmark = pytest.mark.xdist_group("stolen")

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "stolen-credentials.md"
MADE = {"outputs": [{"number": 0, "size": len(CONTENT), "adler32": ADLER}]}
OWN = {
    "GET /job",
    "PATCH /job/parameters",
    "PATCH /job/status",
    "PATCH /job/heartbeat",
    "GET /job/inputs",
    "POST /job/outputs",
    "GET /whoami",
}
"""What a job may ask; the last tells anybody who they are."""
BY_WHAT_THEY_CARRY = {r for r in NATIVE if r.startswith("POST /auth/") or r == "POST /pilot/login"} | PRESIGNED | PUBLIC
SQL = """
SELECT 'did', s.name || ':' || d.name FROM did d JOIN scope s USING (scope_id, vo) WHERE d.vo = %(vo)s
UNION ALL SELECT 'job', job_id::text FROM job WHERE vo = %(vo)s
UNION ALL SELECT 'rule', rule_id::text FROM rule WHERE vo = %(vo)s
UNION ALL SELECT 'upload', intent_id::text FROM intent WHERE vo = %(vo)s AND state = 'O'
UNION ALL SELECT 'account', name FROM account WHERE vo = %(vo)s
UNION ALL SELECT 'pilot', stamp FROM pilot WHERE stamp = 'stamp-' || (SELECT name FROM vo WHERE vo.vo = %(vo)s)
"""
Thing = tuple[str, str]


@dataclass
class Reach:
    """What somebody has reached."""

    seen: set[Thing] = field(default_factory=set[Thing])
    changed: set[Thing] = field(default_factory=set[Thing])


@dataclass
class Robbed:
    """The grid, and all that is in it."""

    belle: Filled
    gridpp: Filled
    mine: list[Thing]
    foreign: list[Thing]

    async def send(self, method: str, path: str, token: str, body: Any = None, **query: Any) -> Any:
        return await self.belle.served.send(method, path, token=token, json=body, params=query)


@pytest.fixture
async def robbed(untouched: Untouched) -> AsyncIterator[Robbed]:
    async with untouched.copied() as grid:
        with psycopg.connect(grid.owner_url, options="-c search_path=sancho") as conn:
            mine, foreign = (conn.execute(SQL, {"vo": vo}).fetchall() for vo in (1, 2))
        yield Robbed(grid.belle, grid.gridpp, mine, foreign)


# ---- people


def sight(thing: Thing) -> tuple[str, str]:
    """How a thing is looked at: the path, and what must stand in the answer."""
    kind, name = thing
    return {
        "did": (f"/dids/{name}", name), "job": (f"/jobs/{name}", name), "rule": (f"/rules/{name}", name),
        "upload": ("/uploads", f'"intent_id":{name},'), "account": (f"/accounts/{name}", name),
        "pilot": ("/pilots", name),
    }[kind]  # fmt: skip


def change(thing: Thing) -> tuple[str, str, Any]:
    """A change to a thing, that nobody but its owner and administrators may make."""
    kind, name = thing
    return {
        "did": ("PATCH", f"/dids/{name}", {"open": False}),
        "job": ("POST", "/jobs/kill", {"job_ids": [int(name) if kind == "job" else 0]}),
        "rule": ("DELETE", f"/rules/{name}", None),
        "upload": ("POST", "/uploads/cancel", {"intents": [int(name) if kind == "upload" else 0]}),
        "account": ("POST", f"/accounts/{name}/suspend", None),
        "pilot": ("POST", "/pilot/retire", {"reason": "theft"}),
    }[kind]  # fmt: skip


async def as_person(robbed: Robbed, token: str) -> Reach:
    reach = Reach()
    for thing in robbed.mine + robbed.foreign:
        path, shown = sight(thing)
        answer = await robbed.send("GET", path, token)
        assert "gridpp" not in answer.text.lower(), answer.text
        if answer.status_code == 200 and shown in answer.text:
            reach.seen.add(thing)
    for thing in sorted(robbed.mine + robbed.foreign, key=lambda t: t[0] == "account"):  # their owners last
        method, path, body = change(thing)
        answer = await robbed.send(method, path, token, body)
        if answer.status_code < 300 and answer.text != '{"changed":[]}':
            reach.changed.add(thing)
    return reach


async def user(robbed: Robbed) -> Reach:
    return await as_person(robbed, robbed.belle.served.token("belle", "alice"))


async def newcomer(robbed: Robbed) -> Reach:
    return await as_person(robbed, robbed.belle.served.token("belle", "bob"))


async def downscoped(robbed: Robbed) -> Reach:
    signer = robbed.belle.served.deployment.signer
    claims = {"sub": "belle:root", "aud": signer.issuer, "scope": "rules:create"}
    return await as_person(robbed, signer.sign(claims, timedelta(hours=1)))


async def administrator(robbed: Robbed) -> Reach:
    return await as_person(robbed, robbed.belle.served.token("belle", "root"))


# ---- machines


async def pilot_token(robbed: Robbed) -> Reach:
    return await as_pilot(robbed, robbed.belle.pilot.token)


async def pilot_secret(robbed: Robbed) -> Reach:
    """The newest secret: the thief is the pilot, until the pilot comes back."""
    login = {"stamp": robbed.belle.pilot.stamp, "secret": robbed.belle.pilot.secret}
    token = (await robbed.belle.served.client.post("/v1/pilot/login", json=login)).json()["token"]
    return await as_pilot(robbed, token)


async def as_pilot(robbed: Robbed, token: str) -> Reach:
    """All that a pilot can get: every job that fits, with what it reads, and places for what it makes."""
    reach, held = Reach(), [robbed.belle.ids["attempt_done"]]
    for attempt_id in (robbed.belle.ids["attempt_running"], None):
        while True:
            if attempt_id is not None:
                answer = await robbed.send("GET", f"/pilot/attempts/{attempt_id}", token)
            else:
                answer = await robbed.send("POST", "/pilot/match", token, OFFER | {"held": held})
            if answer.status_code != 200:
                break
            given = answer.json()
            held.append(given["attempt_id"])
            reach.seen |= _named(given)
            path = f"/pilot/attempts/{given['attempt_id']}"
            granted = await robbed.send("POST", f"{path}/outputs", token, MADE)
            reach.changed |= {("job", str(given["job_id"])), *_places(granted)}
            reach.changed |= {("did", output["did"]) for output in given["outputs"]}
            if attempt_id is not None:
                break
    return reach


async def spent_secret(robbed: Robbed) -> Reach:
    """The one that the CE was given, after the pilot has begun: it ends the pilot, and that is all."""
    stamp = robbed.belle.pilot.stamp
    login = {"stamp": stamp, "secret": robbed.belle.pilot.first}
    answer = await robbed.belle.served.client.post("/v1/pilot/login", json=login)
    assert check_refused(answer)["code"] == "pilot_unknown"
    return Reach(changed={("pilot", stamp)})


async def job_token(robbed: Robbed) -> Reach:
    reach, token = Reach(), robbed.belle.job
    own = (await robbed.send("GET", "/job", token)).json()
    inputs = (await robbed.send("GET", "/job/inputs", token)).json()
    granted = await robbed.send("POST", "/job/outputs", token, MADE)
    reach.seen |= _named(own | {"inputs": inputs})
    reach.changed |= {("did", output["did"]) for output in own["outputs"]} | set(_places(granted))
    return reach


async def reading_token(robbed: Robbed) -> Reach:
    """A token for the storage that a job reads its inputs with: it opens the paths that it names."""
    (source, *_) = (await robbed.send("GET", "/job/inputs", robbed.belle.job)).json()[0]["sources"]
    files = {path for what, path in _paths(source["token"]) if what == "storage.read"}
    inputs = (await robbed.send("GET", "/job/inputs", robbed.belle.job)).json()
    opened = {("did", one["did"]) for one in inputs if one["sources"][0]["url"].endswith(tuple(files))}
    assert len(opened) == len(files), "each path is that of one file"
    return Reach(seen=opened)


async def writing_token(robbed: Robbed) -> Reach:
    (upload,) = (await robbed.send("POST", "/job/outputs", robbed.belle.job, MADE)).json()["uploads"]
    paths = _paths(upload["token"])
    assert all(upload["url"].endswith(path) for _, path in paths)
    return Reach(changed={("upload", str(upload["intent_id"]))})


def _paths(token: str) -> list[tuple[str, str]]:
    """What a storage token is for: verbs with paths."""
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    return [(what, path) for what, _, path in (scope.partition(":") for scope in claims["scope"].split())]


async def ce_credential(robbed: Robbed) -> Reach:
    """What a CE knows us by: a batch system is opened with it, nothing of ours."""
    return await as_person(robbed, "what-a-ce-knows-us-by")


def _named(given: Any) -> set[Thing]:
    named = {("job", str(given["job_id"]))}
    named |= {("did", one["did"]) for key in ("inputs", "outputs") for one in given.get(key, [])}
    return named


def _places(answer: Any) -> Iterable[Thing]:
    return {("upload", str(u["intent_id"])) for u in answer.json().get("uploads", [])}


CREDENTIALS: dict[str, Callable[[Robbed], Awaitable[Reach]]] = {
    "access token of a user who owns most": user,
    "access token of a user who owns nothing": newcomer,
    "access token of an administrator, for `rules:create` alone": downscoped,
    "access token of an administrator of the VO": administrator,
    "a pilot's token": pilot_token,
    "a pilot's newest secret": pilot_secret,
    "a pilot's secret, already used": spent_secret,
    "a job's token": job_token,
    "a storage token to read": reading_token,
    "a storage token to write": writing_token,
    "what a CE knows us by": ce_credential,
}


@pytest.mark.parametrize("credential", CREDENTIALS)
async def test_a_stolen_credential_reaches_as_much_as_the_page_says(robbed: Robbed, credential: str) -> None:
    reach = await CREDENTIALS[credential](robbed)

    foreign = set(robbed.foreign) - set(robbed.mine)
    assert not (reach.seen | reach.changed) & foreign
    total = len(set(robbed.mine) | reach.seen | reach.changed)
    row = next(line for line in PAGE.read_text().splitlines() if line.startswith(f"| {credential} |"))
    said = [int(number) for number in row.split("|")[2:4]]
    assert said == [len(reach.seen), len(reach.changed)], f"{sorted(reach.seen)} {sorted(reach.changed)} of {total}"


async def test_the_page_says_how_much_there_is(robbed: Robbed) -> None:
    assert f"{len(set(robbed.mine))} objects" in PAGE.read_text()


# ---- jobs are strangers to everybody else's routes


async def test_a_jobs_token_is_refused_on_every_route_but_its_own(grid: Grid) -> None:
    asked = 0
    for route, one in good(grid.belle).items():
        if route in BY_WHAT_THEY_CARRY - {"POST /auth/introspect"}:
            continue
        answer = await replace(one, account="job").send(grid.belle)
        if route in OWN:
            assert answer.status_code in (200, 204), (route, answer.text)
            continue
        code = "not_a_pilot" if " /pilot/" in route else "not_for_jobs"
        assert (answer.status_code, check_refused(answer)["code"]) == (403, code), route
        asked += 1
    assert asked > 70


async def test_a_jobs_token_is_nobody_to_the_clients_of_others(grid: Grid) -> None:
    token = grid.belle.job
    rucio = await grid.served.client.get("/rucio/accounts/whoami", headers={"x-rucio-auth-token": token})
    diracx = await grid.served.client.get("/api/auth/userinfo", headers={"authorization": f"Bearer {token}"})
    form = {"grant_type": "urn:ietf:params:oauth:grant-type:token-exchange", "subject_token": token, "vo": "belle"}
    exchanged = await grid.served.client.post("/v1/auth/token", data=form)
    assert (rucio.status_code, diracx.status_code, exchanged.status_code) == (401, 403, 400)
