"""What administrators ask of a real API: settings of clients, programs, usage over time, all documents."""

from pathlib import Path

import yaml

from sancho_client.calls import topology
from sancho_client.models.topology import Beat
from tests.client.conftest import Grid


def test_a_section_of_settings_is_made_listed_and_removed(grid: Grid, unique: str) -> None:
    made = grid.sancho("setting", "add", unique, "options.threads=4", "options.verify=true", account="root")
    assert made.exit_code == 0, made.output
    assert grid.json("setting", "show", unique) == {"name": unique, "options": {"threads": 4, "verify": True}}
    assert f"{unique}\tverify=yes,threads=4" in grid.sancho("setting", "list").stdout
    assert grid.sancho("setting", "add", f"{unique}2", "options.a=1").exit_code != 0


def test_programs_that_report_are_listed(grid: Grid, unique: str) -> None:
    with grid.client("root") as client:
        client.send(topology.report(Beat(name=unique, host="vobox", pid=7, detail="reads")))
    assert f"{unique}\tvobox\t7" in grid.sancho("program", "list").stdout
    assert "api" in {one["name"] for one in grid.json("program", "list", account="root", vo="instance")}


def test_attributes_of_an_account_are_changed_one_by_one(grid: Grid) -> None:
    assert grid.sancho("account", "set", "bob", "country=AT", "floor=3", account="root").exit_code == 0
    changed = grid.json("account", "set", "bob", "country=", "office=3.14b", account="root")
    assert changed["attributes"] == {"floor": 3, "office": "3.14b"}
    assert grid.sancho("account", "set", "bob", "floor=", "office=", account="root").exit_code == 0
    assert grid.sancho("account", "set", "bob", "country", account="root").exit_code != 0
    assert grid.sancho("account", "set", "bob", "country=AT").exit_code != 0


def test_usage_of_an_account_is_shown_by_day(grid: Grid) -> None:
    assert grid.json("account", "usage", "bob", "A-DISK") == []
    assert grid.sancho("account", "usage", "nobody", "A-DISK").exit_code != 0


def test_what_is_exported_is_applied_again_and_changes_nothing(grid: Grid, unique: str, tmp_path: Path) -> None:
    added = grid.sancho("setting", "add", unique, "options.text=10 TB", account="root")
    assert added.exit_code == 0, added.output
    out = grid.sancho("config", "export", account="root")
    assert out.exit_code == 0, out.output
    documents = list(yaml.safe_load_all(out.stdout))
    spec = {"options": {"text": "10 TB"}}
    assert {"kind": "ClientSettings", "name": unique, "vo": "belle", "spec": spec} in documents
    (tmp_path / "all.yaml").write_text(out.stdout)
    again = grid.json("apply", "-f", str(tmp_path), account="root")
    assert again == {"version": None, "changes": []}
