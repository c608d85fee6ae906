"""Rucio's VOs and heartbeats, which its client has no methods for."""

from typing import Any

from tests.compat.test_rucio_replica_routes import ask, lines
from tests.served import Served


def said(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.headers.get("ExceptionClass", "")


async def test_a_vo_is_made_listed_changed_and_its_administrator_let_in_again(served: Served) -> None:
    made = await ask(served, "POST", "/vos/ska", vo="instance", json={"description": "SKA", "email": "ops@ska.example"})
    assert (made.status_code, made.text) == (201, "Created")
    assert said(await ask(served, "POST", "/vos/ska", vo="instance", json={})) == (409, "Duplicate")
    changed = await ask(served, "PUT", "/vos/ska", vo="instance", json={"description": "Square Kilometre Array"})
    assert changed.status_code == 200
    known = {one["vo"]: one for one in lines(await ask(served, "GET", "/vos/", vo="instance"))}
    assert (known["ska"]["description"], known["ska"]["email"]) == ("Square Kilometre Array", "ops@ska.example")
    assert known["belle"]["description"] is None

    assert [one["vo"] for one in lines(await ask(served, "GET", "/vos/"))] == ["belle"]
    for method, path, body in (("POST", "/vos/own", {}), ("PUT", "/vos/belle", {"description": "mine"})):
        assert said(await ask(served, method, path, json=body)) == (401, "AccessDenied")
    assert said(await ask(served, "PUT", "/vos/none", vo="instance", json={})) == (404, "VONotFound")
    for name, body in (("No%20Name", {}), ("own", {"email": "nobody"}), ("own", {"admin": "x"})):
        assert said(await ask(served, "POST", f"/vos/{name}", vo="instance", json=body))[0] == 400

    # its administrator has a password that nobody knows, and is given another
    proof = {"identity": "root", "authtype": "userpass", "password": "a very long way home"}
    assert (await ask(served, "POST", "/vos/ska/recover", vo="instance", json=proof)).status_code == 201
    login = {
        "x-rucio-vo": "ska", "x-rucio-account": "root", "x-rucio-username": "root",
        "x-rucio-password": "a very long way home",
    }  # fmt: skip
    assert (await served.client.get("/rucio/auth/userpass", headers=login)).status_code == 200
    name = {"identity": "/DC=org/DC=example/CN=Root", "authtype": "X509"}
    assert (await ask(served, "POST", "/vos/ska/recover", vo="instance", json=name)).status_code == 201
    other = {**proof, "identity": "alice"}
    assert said(await ask(served, "POST", "/vos/ska/recover", vo="instance", json=other))[1] == "InputValidationError"
    assert said(await ask(served, "POST", "/vos/none/recover", vo="instance", json=proof)) == (404, "VONotFound")
    assert said(await ask(served, "POST", "/vos/ska/recover", json=proof)) == (404, "VONotFound")
    refused = await ask(served, "POST", "/vos/belle/recover", account="alice", json=name)
    assert said(refused) == (401, "AccessDenied")


async def test_services_of_a_vo_say_that_they_live(served: Served) -> None:
    beat = {"executable": "importer", "hostname": "vobox", "pid": 7, "older_than": 600, "payload": "reads"}
    assert (await ask(served, "POST", "/heartbeats", json=beat)).status_code == 200
    (one,) = (await ask(served, "GET", "/heartbeats")).json()
    assert (one[:4], one[4].endswith(" UTC"), one[6]) == (["importer", "vobox", 7, ""], True, "reads")
    assert (await ask(served, "GET", "/heartbeats", vo="gridpp")).json() == []
    ours = (await ask(served, "GET", "/heartbeats", vo="instance")).json()
    assert "api" in {each[0] for each in ours}
    assert said(await ask(served, "POST", "/heartbeats", account="alice", json=beat)) == (401, "AccessDenied")
    for spoilt in ({"pid": -1}, {"pid": "x"}, {"executable": ""}, {"hostname": "a b"}, {"payload": "\x00"}):
        assert said(await ask(served, "POST", "/heartbeats", json=beat | spoilt))[1] == "InputValidationError"
