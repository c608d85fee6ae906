"""The routes of lifetime exceptions, in a served application."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.dids.test_api import collection
from tests.served import Served

UNTIL = (datetime.now(UTC) + timedelta(days=90)).replace(microsecond=0)
PATH = "/lifetime-exceptions"


async def asked(served: Served, *dids: str, account: str = "bob") -> dict[str, Any]:
    body = {"dids": list(dids), "until": UNTIL.isoformat(), "reason": "for the thesis"}
    answer = await served.send("POST", PATH, account=account, json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def given(served: Served, *dids: str) -> None:
    for did in dids:
        await collection(served, did)
        await served.send("PATCH", f"/dids/{did}", json={"lifetime": "1 d"})


async def test_an_exception_is_asked_for_shown_and_approved(served: Served) -> None:
    await given(served, "mc:ds")
    one = await asked(served, "mc:ds")
    path = f"{PATH}/{one['exception_id']}"
    assert (one["account"], one["state"], one["number"], one["reason"]) == ("bob", "waiting", 1, "for the thesis")
    assert (await served.send("GET", path)).json() == one
    assert datetime.fromisoformat(one["dids"][0]["ends_at"]) < UNTIL

    done = (await served.send("POST", f"{path}/approve", account="root", json={"answer": "yes"})).json()
    assert (done["state"], done["decided_by"], done["answer"]) == ("approved", "root", "yes")
    assert datetime.fromisoformat(done["dids"][0]["ends_at"]) == UNTIL
    assert datetime.fromisoformat((await served.send("GET", "/dids/mc:ds")).json()["ends_at"]) == UNTIL
    again = await served.send("POST", f"{path}/reject", account="root", json={})
    assert (again.status_code, again.json()["code"]) == (409, "lifetime_exception_decided")


async def test_exceptions_are_listed_page_by_page_and_by_what_they_are(served: Served) -> None:
    await given(served, "mc:ds", "mc:other")
    first, second = await asked(served, "mc:ds"), await asked(served, "mc:other", account="alice")
    await served.send("POST", f"{PATH}/{first['exception_id']}/reject", account="root", json={"answer": "no"})

    async def found(**query: Any) -> tuple[list[int], int | None]:
        page = (await served.send("GET", PATH, params=query)).json()
        return [one["exception_id"] for one in page["items"]], page["next"]

    ids = [second["exception_id"], first["exception_id"]]
    assert await found() == (ids, None)
    assert await found(limit=1) == (ids[:1], ids[0])
    assert await found(limit=1, cursor=ids[0]) == (ids[1:], ids[1])
    assert await found(state="rejected") == await found(account="bob") == await found(did="mc:ds") == (ids[1:], None)


async def test_each_mistake_names_what_is_wrong(served: Served) -> None:
    await given(served, "mc:ds")
    one = await asked(served, "mc:ds")
    path = f"{PATH}/{one['exception_id']}"
    good: dict[str, Any] = {"dids": ["mc:ds"], "until": UNTIL.isoformat(), "reason": "r"}

    async def answer(
        path: str, body: dict[str, Any], account: str = "bob", vo: str = "belle"
    ) -> tuple[int, str, str | None]:
        said = (await served.send("POST", path, account=account, vo=vo, json=body)).json()
        return said["status"], said["code"], said.get("field")

    assert await answer(PATH, good | {"dids": ["mc:ds", "mc:no"]}) == (404, "did_not_found", "dids")
    assert await answer(PATH, good | {"dids": ["no"]}) == (422, "did_malformed", "dids")
    assert await answer(PATH, good | {"until": "2020-01-01"}) == (422, "until_past", "until")
    assert await answer(PATH, good | {"reason": ""}) == (422, "invalid_request", "reason")
    assert await answer(PATH, good | {"dids": ["mc:ds"] * 1001}) == (422, "invalid_request", "dids")
    assert await answer(f"{path}/approve", {}) == (403, "permission_missing", None)
    assert await answer(f"{path}/reject", {}, "alice") == (403, "permission_missing", None)
    for verb in ("approve", "reject"):
        there = await answer(f"{path}/{verb}", {}, "root", "gridpp")
        assert there == (404, "lifetime_exception_not_found", None)
    assert (await served.send("GET", path, vo="gridpp")).status_code == 404
    assert (await served.send("GET", PATH, vo="gridpp")).json() == {"items": [], "next": None}
    assert (await served.send("GET", PATH, params={"account": "nobody"})).json()["code"] == "account_not_found"
    assert (await served.send("GET", path)).json()["state"] == "waiting"
