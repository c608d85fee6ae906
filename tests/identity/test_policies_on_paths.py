"""Policies on paths: what they mean, and whether somebody may write at one."""

from typing import Any

import pytest

from sancho.kit.db import Connection
from sancho.kit.policy import PathUnfit, covers, spell_in
from sancho.parts import KINDS
from sancho.vos import service as vos
from sancho.vos.model import Document
from tests.identity.helpers import ROOT
from tests.served import Served


@pytest.mark.parametrize(
    ("pattern", "thing", "meant"),
    [
        ("/belle/mc/run7", "did:mc:run7", True),
        ("/belle/mc/run7", "did:mc:run7/f.root", True),
        ("/belle/mc/run7", "did:mc:run77", False),
        ("/belle/mc/run7/", "did:mc:run7", False),
        ("/belle/mc/run7/", "did:mc:run7/f.root", True),
        ("/belle/mc/run*", "did:mc:run77", True),
        ("/belle/mc", "did:mc:anything", True),
        ("/belle/mc/", "did:mc2:anything", False),
        ("/belle/user.*", "did:user.alice:f", True),
        ("/belle", "did:raw:x", True),
        ("/belle/", "site:LYON", False),
        ("mc:run7", "did:mc:run7/f.root", True),
    ],
)
def test_a_path_of_the_vo_is_a_pattern_too(pattern: str, thing: str, meant: bool) -> None:
    assert covers(spell_in("belle", pattern), thing) is meant


@pytest.mark.parametrize("path", ["/", "//belle/mc", "/belle//mc", "/belle/mc/../raw", "/belle/./mc", "/gridpp/mc"])
def test_a_path_that_would_mean_nothing_is_refused(path: str) -> None:
    with pytest.raises(PathUnfit):
        spell_in("belle", path)


async def test_whether_somebody_may_write_at_a_path_and_why(served: Served) -> None:
    async def ask(on: str, permission: str = "dids:create") -> tuple[bool, str, str]:
        asked = {"permission": permission, "account": "alice", "on": on}
        found = (await served.send("GET", "/can", account="root", params=asked)).json()
        return found["allowed"], " ".join(found["because"]), " ".join(found["needed"])

    async def change(name: str, **spec: Any) -> None:
        said = {"kind": "Policy", "name": name, "vo": "belle", "spec": {"permissions": ["dids:create"], **spec}}
        answer = await served.send("POST", "/configuration/apply", account="root", json={"documents": [said]})
        assert answer.status_code == 200, answer.text

    allowed, because, _ = await ask("/belle/mc/2026/x")
    assert allowed, because
    await change("closed-year", effect="deny", things=["/belle/mc/2026/"], reason="2026 is over")
    allowed, because, needed = await ask("/belle/mc/2026/x")
    assert not allowed
    assert "closed-year" in because
    assert "2026 is over" in because
    assert "closed-year" in needed
    assert (await ask("/belle/mc/2027/x"))[0]
    assert (await ask("/belle/mc/2026"))[0]
    refused = await served.send("POST", "/dids", json={"did": "mc:2026/x", "kind": "dataset"})
    assert (refused.status_code, "closed-year" in refused.text) == (403, True)

    made = await served.send("POST", "/scopes", account="root", json={"name": "raw"})
    assert made.status_code == 201, made.text
    allowed, because, needed = await ask("/belle/raw/x")
    assert not allowed
    assert "belongs to account" in because
    assert "shared" in needed
    assert (await ask("/belle/nowhere/x"))[:2] == (False, "Scope nowhere does not exist.")
    refused = await served.send("GET", "/can", params={"permission": "dids:create", "on": "/gridpp/mc/x"})
    assert (refused.status_code, refused.json()["code"], refused.json()["field"]) == (422, "path_elsewhere", "on")


async def test_a_policy_on_a_path_of_another_vo_is_refused(conn: Connection) -> None:
    with pytest.raises(PathUnfit) as refused:
        spec = {
            "effect": "deny",
            "permissions": ["rules:create"],
            "reason": "r",
            "things": ["/belle/mc/a", "/gridpp/mc"],
        }
        await vos.apply(conn, ROOT, [Document(kind="Policy", name="freeze", vo="belle", spec=spec)], KINDS)
    assert refused.value.field == "documents.0.spec.things.1"
