"""What is held of a person, from the command line."""

import json

from tests.client.conftest import Grid


def test_a_person_is_exported_and_then_erased(grid: Grid, unique: str) -> None:
    name = f"p-{unique}"
    assert grid.sancho("account", "add", name, f"email={name}@example.org", account="root").exit_code == 0

    told = grid.sancho("account", "export", name, account=name)

    assert told.exit_code == 0, told.output
    lines = [json.loads(line) for line in told.stdout.splitlines()]
    assert lines[0]["feature"] == "identity"
    assert lines[0]["email"] == f"{name}@example.org"
    unsure = grid.sancho("account", "erase", name, account="root")
    assert (unsure.exit_code, "say --yes" in unsure.stderr) == (2, True)
    assert grid.sancho("account", "erase", name, "--yes").exit_code == 4
    done = grid.json("account", "erase", name, "--yes", account="root")
    assert done["account"].startswith("erased-")
    assert grid.sancho("account", "show", name, account="root").exit_code == 1
