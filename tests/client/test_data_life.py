"""Verbs about the life of data: rules that are approved, moved and reduced, and replicas in trouble."""

from pathlib import Path

from tests.client.conftest import Grid


def test_rules_are_approved_moved_reduced_and_remembered(grid: Grid, tmp_path: Path, unique: str) -> None:
    (tmp_path / "a.txt").write_text(unique)
    did = f"mc:{unique}"
    grid.json("data", "put", str(tmp_path / "a.txt"), "--did", did, "--on", "A-DISK", account="root")
    asked = grid.json("rule", "add", did, "A-DISK", "--ask-approval")
    denied = grid.json("rule", "add", did, "A-DISK", "--ask-approval")
    number = str(asked["rule_id"])

    assert asked["state"] == "waiting"
    assert grid.sancho("rule", "approve", number).exit_code == 4
    assert grid.json("rule", "approve", number, account="root")["state"] == "injecting"
    assert grid.sancho("rule", "deny", str(denied["rule_id"]), "--reason", "no", account="root").exit_code == 0
    told = grid.json("rule", "history", "--did", did)
    assert (told[-1]["kind"], told[-1]["by"], told[-1]["detail"]) == ("denied", "root", "no")

    both = grid.json("rule", "add", did, "*", "--copies", "2")
    number = str(both["rule_id"])
    fewer = grid.json("rule", "reduce", number, "--copies", "1", "--without", "B-DISK", "-y")
    assert (fewer["copies"], fewer["rses"], fewer["state"]) == (1, ["A-DISK"], "ok")
    new = grid.json("rule", "move", number, "B-DISK", "--activity", "slow", "--lifetime", "1 d")
    assert (new["replaces"], new["state"], new["activity"]) == (both["rule_id"], "replicating", "slow")
    assert grid.json("rule", "change", str(new["rule_id"]), "--activity", "fast")["activity"] == "fast"
    assert grid.json("rule", "add", did, "A-DISK", "--activity", "fast")["activity"] == "fast"
    assert grid.json("rule", "change", number, "--lock")["locked"] is True
    assert grid.sancho("rule", "rm", number, "-y").exit_code == 1
    assert grid.json("rule", "retry", number)["replaced_by"] == new["rule_id"]
    assert [e["kind"] for e in grid.json("rule", "history", number)] == ["made", "reduced", "moved", "changed"]
    assert grid.sancho("rule", "history").exit_code == 2


def test_troubles_with_replicas_are_declared_and_listed(grid: Grid, tmp_path: Path, unique: str) -> None:
    (tmp_path / "a.txt").write_text(unique)
    did = f"mc:{unique}"
    grid.json("data", "put", str(tmp_path / "a.txt"), "--did", did, "--on", "A-DISK", account="root")
    words = ["data", "declare", "unavailable", f"{did}@A-DISK", "--until", "2 d", "--reason", "moving"]

    assert grid.sancho(*words).exit_code == 4
    assert "1 of 1 noted as unavailable" in grid.sancho(*words, account="root").stdout
    (one,) = grid.json("data", "troubles", "--did", did)
    assert (one["kind"], one["state"], one["account"], one["reason"]) == ("unavailable", "standing", "root", "moving")
    assert grid.json("data", "declare", "available", f"{did}@A-DISK", account="root")["noted"] == 1
    again = grid.sancho("data", "declare", "available", f"{did}@A-DISK", account="root")
    assert "is available: nothing was noted" in again.stderr
    assert grid.sancho("data", "declare", "broken", f"{did}@A-DISK", account="root").exit_code == 2
    assert grid.json("data", "quarantine", "A-DISK", f"/belle/{unique}", account="root") == {"noted": 1}
    assert "0 files noted" in grid.sancho("data", "quarantine", "A-DISK", f"/belle/{unique}", account="root").stdout


def test_what_rules_hold_on_an_rse_is_listed(grid: Grid, tmp_path: Path, unique: str) -> None:
    (tmp_path / "a.txt").write_text(unique)
    dataset = f"mc:{unique}.set"
    words = ["data", "put", str(tmp_path / "a.txt"), "--did", f"mc:{unique}", "--dataset", dataset, "--on", "A-DISK"]
    grid.json(*words, account="root")
    held = {one["dataset"]: one for one in grid.json("rule", "held", "A-DISK")}
    assert (held[dataset]["files"], held[dataset]["account"], held[dataset]["state"]) == (1, "root", "ok")
    assert "url_not_signed" in grid.sancho("data", "sign", "https://elsewhere/x", "--rse", "A-DISK", "--json").output
