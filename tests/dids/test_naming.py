"""What a VO asks of the names of new DIDs."""

from typing import Any

import pytest

from tests.served import Served

FILE: dict[str, Any] = {"pattern": r"run[0-9]+/.+\.root", "example": "run1/a.root"}


async def apply(served: Served, *names: str, remove: bool = False, **spec: Any) -> Any:
    documents = [{"kind": "NameSchema", "name": name, "spec": spec, "remove": remove} for name in names]
    return await served.send("POST", "/configuration/apply", account="root", json={"documents": documents})


async def register(served: Served, *names: str, vo: str = "belle") -> Any:
    files = [{"did": f"mc:{name}", "size": 1, "adler32": "00000001"} for name in names]
    return await served.send("POST", "/replicas", vo=vo, account="root", json={"rse": "A-DISK", "files": files})


async def test_a_name_that_does_not_fit_is_refused_with_one_that_does_and_nothing_is_made(served: Served) -> None:
    assert (await register(served, "before")).status_code == 201
    assert (await apply(served, "file", **FILE)).status_code == 200

    refused = await register(served, "run1/good.root", "bad.root")

    assert (refused.status_code, refused.json()["field"]) == (422, "files.1.did")
    assert all(word in refused.json()["detail"] for word in ("mc:bad.root", FILE["pattern"], FILE["example"]))
    assert (await served.send("GET", "/dids/mc:run1/good.root")).status_code == 404
    assert (await register(served, "run1/good.root")).status_code == 201
    assert (await served.send("GET", "/dids/mc:before")).status_code == 200
    assert (await register(served, "anything", vo="gridpp")).status_code == 201, "another VO asks nothing"


async def test_kinds_have_schemas_of_their_own_until_they_are_removed(served: Served) -> None:
    assert (await apply(served, "dataset", pattern="[a-z]+", example="raw")).status_code == 200
    new = {"did": "mc:RAW", "kind": "dataset"}

    assert (await served.send("POST", "/dids", json=new)).json()["field"] == "did"
    assert (await served.send("POST", "/dids", json={**new, "kind": "container"})).status_code == 201
    assert (await served.send("POST", "/dids", json={**new, "did": "mc:raw"})).status_code == 201
    job = {"name": "x", "command": ["true"], "outputs": [{"path": "x", "did": "mc:x", "dataset": "mc:OUT"}]}
    refused = await served.send("POST", "/jobs", json={"description": job})
    assert refused.json()["field"] == "description.outputs.0.dataset", refused.text
    assert (await apply(served, "dataset", remove=True)).status_code == 200
    assert (await served.send("POST", "/dids", json={**new, "did": "mc:RAW2"})).status_code == 201


async def test_new_scopes_have_a_schema_too_however_they_are_made(served: Served) -> None:
    assert (await apply(served, "scope", pattern=r"(mc|data)[0-9]{2}", example="mc26")).status_code == 200

    refused = await served.send("POST", "/scopes", account="root", json={"name": "test"})
    assert (refused.status_code, refused.json()["field"]) == (422, "name")
    assert "mc26" in refused.json()["detail"]
    assert (await served.send("POST", "/scopes", account="root", json={"name": "data26"})).status_code == 201
    assert (await served.send("POST", "/scopes", vo="gridpp", account="root", json={"name": "test"})).status_code == 201

    def of(name: str, **spec: Any) -> dict[str, Any]:
        return {"kind": "Scope" if "account" in spec else "Account", "name": name, "spec": spec}

    async def declared(*documents: dict[str, Any]) -> Any:
        return await served.send("POST", "/configuration/apply", account="root", json={"documents": documents})

    refused = await declared(of("mc27", account="root"), of("other", account="root"))
    assert (refused.status_code, refused.json()["field"]) == (422, "documents.1.name")
    kept = await declared(of("mc", account="alice"), of("mc27", account="root"), of("carol", kind="user"))
    assert kept.status_code == 200, kept.text
    scopes = {one["name"] for one in (await served.send("GET", "/scopes")).json()}
    assert {"mc", "mc27", "user.carol"} <= scopes
    assert "other" not in scopes


@pytest.mark.parametrize(
    ("name", "spec"),
    [
        ("replica", FILE), ("file", {"pattern": "(", "example": "a"}), ("file", {"pattern": "(?=a)a", "example": "a"}),
        ("file", {"pattern": "a", "example": "b"}), ("file", {"pattern": "a" * 501, "example": "a"}),
        ("file", {"pattern": "a"}),
    ],
)  # fmt: skip
async def test_a_schema_that_cannot_be_is_refused(served: Served, name: str, spec: dict[str, Any]) -> None:
    assert (await apply(served, name, **spec)).status_code == 422
