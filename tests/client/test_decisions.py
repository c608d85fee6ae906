"""`sancho can` and `sancho audit` against a real API: what they say, and with which exit code."""

import json
from pathlib import Path

import pytest

from sancho_client.calls import data
from tests.client.conftest import Grid


@pytest.fixture
def policy(grid: Grid, tmp_path: Path, unique: str) -> str:
    """A policy that denies rules on one path to everybody; its name."""
    name = f"freeze-{unique}"
    file = tmp_path / "policy.yaml"
    file.write_text(
        f"""
        kind: Policy
        name: {name}
        spec: {{effect: deny, permissions: [rules:create], things: ["mc:{unique}"], reason: the data are frozen}}
        """
    )
    assert grid.sancho("apply", "-f", str(file), account="root").exit_code == 0
    return name


def test_can_says_yes_and_why(grid: Grid) -> None:
    ended = grid.sancho("can", "alice", "rules:create", "--on", "mc:elsewhere/f")

    assert ended.exit_code == 0, ended.stderr
    assert ended.stdout == "yes\n  Account alice has rules:create by group users.\n"


def test_can_says_no_and_which_policy_decided(grid: Grid, policy: str, unique: str) -> None:
    ended = grid.sancho("can", "alice", "rules:create", "--on", f"mc:{unique}/f")
    asked = grid.sancho("can", "alice", "rules:create", "--on", f"mc:{unique}/f", "--json")

    assert (ended.exit_code, asked.exit_code) == (1, 1)
    assert ended.stdout.splitlines()[0] == "no"
    assert f"Policy {policy} denies rules:create on did:mc:{unique}/f: the data are frozen" in ended.stdout
    found = json.loads(asked.stdout)
    assert (found["allowed"], found["on"]) == (False, f"did:mc:{unique}/f")
    assert "changed or removed" in found["needed"][0]


def test_can_says_what_would_be_needed(grid: Grid) -> None:
    ended = grid.sancho("can", "alice", "jobs:manage")

    assert ended.exit_code == 1
    assert "No group of account alice has jobs:manage" in ended.stdout
    assert "needed: Being in a group that has it: admins." in ended.stdout
    assert "needed: Or owning it" in ended.stdout


def test_can_knows_what_belongs_to_whom(grid: Grid, unique: str) -> None:
    with grid.client() as client:
        client.send(data.create(f"mc:{unique}", "dataset"))

    own = grid.sancho("can", "alice", "dids:manage", "--on", f"mc:{unique}")
    assert (own.exit_code, own.stdout) == (0, "yes\n  It belongs to alice.\n")
    assert grid.sancho("can", "bob", "dids:manage", "--on", f"mc:{unique}", account="bob").exit_code == 1
    assert grid.sancho("can", "alice", "dids:manage", "--on", "mc:no-such").exit_code == 1
    assert grid.sancho("can", "alice", "jobs:manage", "--on", "job:0").exit_code == 1
    assert grid.sancho("can", "alice", "rules:manage", "--on", "rule:nonsense").exit_code == 1


def test_only_administrators_ask_about_others(grid: Grid) -> None:
    ended = grid.sancho("can", "bob", "rules:create")
    of_root = grid.sancho("can", "bob", "rules:create", account="root")
    nobody = grid.sancho("can", "nobody", "rules:create", account="root")
    nonsense = grid.sancho("can", "alice", "rules:eat")

    assert (ended.exit_code, of_root.exit_code, nobody.exit_code, nonsense.exit_code) == (4, 0, 1, 1)
    assert "There is no permission rules:eat" in nonsense.stderr


def test_the_log_is_listed_and_verified(grid: Grid, policy: str) -> None:
    listed = grid.json("audit", "list", "--account", "root", "--permission", "configuration:apply", account="root")
    shown = grid.sancho("audit", "list", "--allowed", "--limit", "1", account="root")
    verified = grid.sancho("audit", "verify", account="root")
    forgotten = grid.sancho("audit", "verify", "--head", f"999999:{'0' * 64}", account="root")

    assert listed[0]["route"] == "POST /v1/configuration/apply"
    assert shown.exit_code == 0
    assert len(shown.stdout.splitlines()) == 1
    assert (verified.exit_code, forgotten.exit_code) == (0, 3)
    assert verified.stdout.split()[:2] == ["intact", "yes"]
    assert "which is remembered, is missing" in forgotten.stdout
    assert grid.sancho("audit", "list").exit_code == 4


def test_an_administrator_of_the_installation_reads_the_log_of_a_vo(grid: Grid, policy: str) -> None:
    wanted = ("--permission", "configuration:apply", "--limit", "1")
    own = grid.json("audit", "list", *wanted, account="root")
    named = grid.json("audit", "list", *wanted, "--of", "belle", account="root", vo="instance")
    verified = grid.sancho("audit", "verify", "--of", "belle", account="root", vo="instance")
    refused = grid.sancho("audit", "list", "--of", "gridpp", account="root")

    assert own == named != []
    assert verified.exit_code == 0
    assert (refused.exit_code, "VO gridpp does not exist" in refused.stderr) == (1, True)
