"""What is held of a person is told in full, and is gone from everywhere but where it says it stays."""

import json
from typing import Any

import psycopg
import pytest

from tests.identity.helpers import PASSWORD
from tests.journeys.given import SSH_KEY
from tests.served import Served

NAME, EMAIL, WORDS = "penelope", "penelope@ithaca.example", "waiting for odysseus"
STAYS = {"audit_row"}
"""Sealed: they name the account, and nothing tells which pseudonym it got."""


async def sent(served: Served, method: str, path: str, body: Any = None, *, account: str = "root") -> Any:
    answer = await served.send(method, path, account=account, json=body)
    assert answer.status_code < 300, answer.text
    return answer.json() if answer.content else None


@pytest.fixture
async def person(served: Served) -> Served:
    """Somebody with an account, a password, a key, a login, data, rules, a quota, a policy and jobs that ended."""
    spec = {"email": EMAIL, "groups": ["users"]}
    documents = [
        {"kind": "Account", "name": NAME, "spec": spec},
        {"kind": "Account", "name": NAME, "spec": spec | {"groups": ["users", "admins"]}},
        {"kind": "Quota", "name": "hers", "spec": {"account": NAME, "rse_expression": "*", "size": "1 GB"}},
        {
            "kind": "Policy", "name": "one",
            "spec": {"effect": "deny", "permissions": ["jobs:manage"], "accounts": [NAME, "bob"], "reason": "no"},
        },
    ]  # fmt: skip
    for some in (documents[:1], documents[1:]):
        await sent(served, "POST", "/configuration/apply", {"documents": some})
    await sent(served, "POST", f"/accounts/{NAME}/password", {"password": PASSWORD})
    await sent(served, "POST", f"/accounts/{NAME}/identities", {"kind": "ssh_key", "subject": SSH_KEY})
    form = {"grant_type": "password", "vo": "belle", "username": NAME, "password": PASSWORD}
    served.app.state.login = (await served.client.post("/v1/auth/token", data=form)).json()
    hers: dict[str, Any] = {"account": NAME}
    await sent(served, "POST", "/dids", {"did": "mc:shroud", "kind": "dataset"}, **hers)
    await sent(served, "POST", "/dids/follow", {"dids": ["mc:shroud"]}, **hers)
    rule = {"did": "mc:shroud", "rse_expression": "A-DISK", "comment": WORDS}
    await sent(served, "POST", "/rules", rule, **hers)
    kept = {"dids": ["mc:shroud"], "until": "2100-01-01", "reason": WORDS}
    await sent(served, "POST", "/lifetime-exceptions", kept, **hers)
    asked = await sent(served, "POST", "/lifetime-exceptions", kept, **hers)
    answer = {"answer": WORDS}
    await sent(served, "POST", f"/lifetime-exceptions/{asked['exception_id']}/reject", answer, **hers)
    upload = {"files": [{"did": "mc:shroud/1", "size": 4, "adler32": "00000001"}]}
    await sent(served, "POST", "/uploads", upload, **hers)
    job = {"description": {"name": "weaving", "command": ["weave"]}, "idempotency_key": f"key-of-{NAME}"}
    made = await sent(served, "POST", "/jobs", job, **hers)
    served.app.state.jobs = made["job_ids"]
    comment = {"documents": [{"kind": "Group", "name": "suitors", "spec": {}}], "comment": WORDS}
    await sent(served, "POST", "/configuration/apply", comment, **hers)
    return served


async def exported(served: Served, *, account: str = NAME) -> list[dict[str, Any]]:
    answer = await served.send("POST", f"/accounts/{NAME}/export", account=account)
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


async def test_a_person_is_told_everything_and_no_secret(person: Served) -> None:
    lines = await exported(person)

    assert {line["what"] for line in lines} == {
        "account", "identity", "login", "document", "applied", "decision", "rule", "quota", "usage", "upload",
        "submission", "job", "scope", "did", "rule event", "lifetime exception", "decision about a lifetime exception",
        "followed did",
    }  # fmt: skip
    assert next(line for line in lines if line["what"] == "account")["email"] == EMAIL
    assert {line["kind"] for line in lines if line["what"] == "identity"} == {"password", "SSH key"}
    text = json.dumps(lines)
    assert "argon2" not in text
    assert person.app.state.login["refresh_token"] not in text


async def test_others_are_told_only_with_the_permission_and_it_is_noted(person: Served) -> None:
    assert await exported(person, account="root")
    for vo, account, code in (("belle", "alice", "not_yours"), ("gridpp", "root", "account_not_found")):
        answer = await person.send("POST", f"/accounts/{NAME}/export", vo=vo, account=account)
        assert answer.json()["code"] == code
    noted = await sent(person, "GET", f"/audit?on=account:{NAME}&permission=accounts:manage&limit=10")
    assert {(row["account"], row["allowed"]) for row in noted["items"]} >= {("root", True), ("alice", False)}


async def erase(served: Served) -> Any:
    await sent(served, "POST", "/jobs/kill", {"job_ids": served.app.state.jobs})
    return await sent(served, "POST", f"/accounts/{NAME}/erase")


def still_there(served: Served, *needles: str) -> dict[str, int]:
    """In how many rows of which tables one of these words is, as the owner of the database sees it."""
    found: dict[str, int] = {}
    with psycopg.connect(served.owner_url, options="-c search_path=sancho,procrastinate") as conn:
        conn.execute("SELECT set_config('sancho.vo', '0,1,2', true)")
        tables = conn.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname IN ('sancho', 'procrastinate') AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
        ).fetchall()
        for (table,) in tables:
            query: Any = f"SELECT count(*) FROM {table} AS t WHERE t::text ILIKE ANY(%s)"
            row = conn.execute(query, [[f"%{needle}%" for needle in needles]]).fetchone()
            if row and row[0]:
                found[table] = row[0]
    return found


async def test_nothing_but_the_audit_log_names_a_person_who_was_erased(person: Served) -> None:
    assert set(still_there(person, NAME, WORDS)) > STAYS

    done = await erase(person)

    assert done["account"].startswith("erased-")
    assert set(still_there(person, NAME, WORDS)) == STAYS
    assert still_there(person, EMAIL) == {}
    assert (await sent(person, "GET", "/audit/verify"))["broken"] is None


async def test_what_they_did_stays_under_the_pseudonym(person: Served) -> None:
    done = await erase(person)

    (job,) = (await sent(person, "GET", "/jobs?name=weaving"))["items"]
    (rule,) = (await sent(person, "GET", "/rules?did=mc:shroud"))["items"]
    assert (job["account"], rule["account"]) == (done["account"], done["account"])
    account = await sent(person, "GET", f"/accounts/{done['account']}")
    assert (account["state"], account["email"], account["groups"]) == ("suspended", None, [])
    policies = await sent(person, "GET", "/configuration?kind=Policy")
    assert set(policies[0]["spec"]["accounts"]) == {"bob", done["account"]}


async def test_every_way_in_is_gone_even_when_somebody_else_gets_the_name(person: Served) -> None:
    login = person.app.state.login
    await erase(person)

    assert (await person.send("GET", "/whoami", token=login["access_token"])).status_code == 401
    again = [{"kind": "Account", "name": NAME, "spec": {"groups": ["users"]}}]
    await sent(person, "POST", "/configuration/apply", {"documents": again})
    assert (await person.send("GET", "/whoami", token=login["access_token"])).status_code == 401
    for form in (
        {"grant_type": "refresh_token", "refresh_token": login["refresh_token"]},
        {"grant_type": "password", "vo": "belle", "username": NAME, "password": PASSWORD},
    ):
        assert (await person.client.post("/v1/auth/token", data=form)).status_code == 401


async def test_an_erased_account_is_not_brought_back_by_an_earlier_version(person: Served) -> None:
    version = (await sent(person, "GET", "/configuration/versions?limit=1"))[0]["version"]
    done = await erase(person)

    await sent(person, "POST", "/configuration/rollback", {"version": version - 1})

    assert (await person.send("GET", f"/accounts/{NAME}", account="root")).status_code == 404
    assert (await sent(person, "GET", f"/accounts/{done['account']}"))["state"] == "suspended"


async def test_nobody_is_erased_by_chance(person: Served) -> None:
    for account, code in (("alice", "permission_missing"), ("root", "jobs_not_ended")):
        answer = await person.send("POST", f"/accounts/{NAME}/erase", account=account)
        assert answer.json()["code"] == code
    assert (await sent(person, "GET", f"/accounts/{NAME}"))["email"] == EMAIL
    done = await erase(person)
    answer = await person.send("POST", f"/accounts/{done['account']}/erase", account="root")
    assert (answer.status_code, answer.json()["code"]) == (409, "already_erased")
