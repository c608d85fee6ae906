"""The routes of configuration, as a client meets them."""

from typing import Any

import httpx2
import pytest

from sancho.identity.kinds import KINDS as IDENTITY
from sancho.vos.api import router
from sancho.vos.kinds import KINDS as VOS
from tests.identity.helpers import Installation

SKA = {"kind": "VO", "name": "ska"}
CAROL = {"kind": "Account", "vo": "ska", "name": "carol", "spec": {"groups": ["users"]}}
HIGGS = {"kind": "Group", "name": "higgs", "spec": {"share": 2}}


async def send(
    installation: Installation, method: str, path: str, body: Any = None, *, vo: str = "instance", account: str = "root"
) -> httpx2.Response:
    async with installation.client(router, kinds=(*VOS, *IDENTITY)) as client:
        return await client.request(method, f"/v1{path}", json=body, headers=installation.bearer(vo, account))


async def test_documents_are_applied_shown_and_taken_back(installation: Installation) -> None:
    dry = await send(installation, "POST", "/configuration/apply", {"documents": [SKA, CAROL], "dry_run": True})
    assert dry.json()["version"] is None
    assert [v["name"] for v in (await send(installation, "GET", "/vos")).json()] == ["instance", "belle", "gridpp"]

    body = {"documents": [SKA, CAROL], "comment": "welcome"}
    applied = (await send(installation, "POST", "/configuration/apply", body)).json()
    assert applied["changes"] == dry.json()["changes"]
    assert applied["changes"][1] == {
        "kind": "Account", "vo": "ska", "name": "carol", "action": "created", "before": None,
        "after": {"groups": ["users"]},
    }  # fmt: skip
    again = {"documents": [CAROL | {"remove": True}]}
    assert (await send(installation, "POST", "/configuration/apply", again)).status_code == 200

    back = await send(installation, "POST", "/configuration/rollback", {"version": applied["version"]})
    assert [(c["name"], c["action"]) for c in back.json()["changes"]] == [("carol", "created")]
    [newest, _, first] = (await send(installation, "GET", "/configuration/versions")).json()
    assert (newest["comment"], first["comment"]) == (f"back to version {first['version']}", "welcome")
    shown = await send(installation, "GET", f"/configuration/versions/{newest['version']}")
    assert shown.json() == back.json()["changes"]
    page = await send(installation, "GET", f"/configuration/versions?before={newest['version']}&limit=1")
    assert len(page.json()) == 1


async def test_a_vo_administrator_configures_the_own_vo(installation: Installation) -> None:
    applied = await send(installation, "POST", "/configuration/apply", {"documents": [HIGGS]}, vo="belle")

    assert applied.json()["changes"][0]["vo"] == "belle"
    documents = (await send(installation, "GET", "/configuration?kind=Group", vo="belle")).json()
    assert [(d["vo"], d["name"], d["spec"]) for d in documents] == [("belle", "higgs", {"share": 2.0})]
    assert (await send(installation, "GET", "/configuration", vo="gridpp")).json() == []
    assert [v["name"] for v in (await send(installation, "GET", "/vos", vo="belle")).json()] == ["belle"]
    refused = await send(installation, "POST", "/configuration/apply", {"documents": [SKA]}, vo="belle")
    assert (refused.status_code, refused.json()["code"]) == (403, "not_your_configuration")


@pytest.mark.parametrize("path", ["/configuration", "/configuration/versions", "/configuration/versions/1"])
async def test_a_user_does_not_read_the_configuration(installation: Installation, path: str) -> None:
    assert (await send(installation, "GET", path, vo="belle", account="alice")).status_code == 403


@pytest.mark.parametrize(
    ("path", "body", "status", "field"),
    [
        ("apply", {}, 422, "documents"),
        ("apply", {"documents": [{"name": "x"}]}, 422, "documents.0.kind"),
        ("apply", {"documents": [{"kind": "Group", "name": "x", "colour": "red"}]}, 422, "documents.0.colour"),
        ("apply", {"documents": [HIGGS]}, 422, "documents.0.vo"),
        ("apply", {"documents": [HIGGS | {"vo": "nowhere"}]}, 422, "documents.0.vo"),
        ("apply", {"documents": [HIGGS | {"vo": "belle", "spec": {"share": -1}}]}, 422, "documents.0.spec.share"),
        ("apply", {"documents": [HIGGS | {"vo": "belle", "spec": {"share": "\x00"}}]}, 422, "documents.0.spec"),
        ("apply", {"documents": [HIGGS | {"vo": "bel\x00le"}]}, 422, "documents.0.vo"),
        ("apply", {"documents": [SKA], "comment": "\x00"}, 422, "comment"),
        ("rollback", {"version": 99}, 404, "version"),
        ("rollback", {"version": 0}, 422, "version"),
        ("rollback", {"version": 2**70}, 422, "version"),
    ],
)
async def test_a_bad_request_is_answered_with_a_problem_that_names_the_field(
    installation: Installation, path: str, body: Any, status: int, field: str
) -> None:
    answer = await send(installation, "POST", f"/configuration/{path}", body)

    assert (answer.status_code, answer.json().get("field")) == (status, field)
    assert (await send(installation, "GET", "/configuration/versions")).json() == []


async def test_text_that_is_not_unicode_is_refused(installation: Installation) -> None:
    async with installation.client(router, kinds=(*VOS, *IDENTITY)) as client:
        for body in (b'{"documents": [{"kind": "Group", "vo": "belle", "name": "x", "spec": {"share": "\\ud800"}}]}',
                     b'{"documents": [{"kind": "Gr\\ud800oup", "vo": "belle", "name": "x"}]}',
                     b'{"documents": [{"kind": "\xff"}]}'):  # fmt: skip
            headers = installation.bearer("instance", "root") | {"content-type": "application/json"}
            answer = await client.post("/v1/configuration/apply", content=body, headers=headers)
            assert answer.status_code in {400, 422}
