"""`sancho data rm` and `close`, on a served grid."""

from pathlib import Path

from tests.client.conftest import Grid


def test_what_is_given_up_is_shown_and_asked_for(grid: Grid, tmp_path: Path, unique: str) -> None:
    path = tmp_path / "a.txt"
    path.write_text(unique)
    did = f"mc:{unique}"
    grid.json("data", "put", str(path), "--did", did, "--on", "A-DISK", account="root")

    asked = grid.sancho("data", "rm", did, account="root")
    done = grid.sancho("data", "rm", did, "--yes", account="root")

    assert asked.exit_code == 2
    assert "1 copies on A-DISK" in asked.stderr
    assert "--yes" in asked.stderr
    assert done.exit_code == 0
    assert done.stdout.endswith("withdrawn\n")
    assert grid.json("rule", "list", "--did", did) == []


def test_a_dataset_is_given_up_with_the_files_that_were_put_into_it(grid: Grid, tmp_path: Path, unique: str) -> None:
    (tmp_path / "a.txt").write_text(unique)
    dataset, file = f"mc:{unique}", f"mc:{unique}.txt"
    grid.json("data", "put", str(tmp_path / "a.txt"), "--did", file, "--dataset", dataset)
    assert [r["account"] for r in grid.json("rule", "list", "--did", file)] == ["alice"]

    stranger = grid.sancho("data", "rm", dataset, "--yes", account="root")
    done = grid.json("data", "rm", dataset, "--yes")

    assert stranger.exit_code == 1
    assert f"of alice on {file} still holds it" in stranger.stderr
    assert (len(done["withdrawn"]), done["held_by"]) == (1, [])
    again = grid.sancho("data", "rm", dataset, "--yes")
    assert (again.exit_code, f"There is no rule on {dataset}" in again.stderr) == (1, True)


def test_a_dataset_can_be_emptied_and_closed(grid: Grid, tmp_path: Path, unique: str) -> None:
    (tmp_path / "a.txt").write_text(unique)
    dataset, file = f"mc:{unique}", f"mc:{unique}.txt"
    grid.json("data", "put", str(tmp_path / "a.txt"), "--did", file, "--dataset", dataset, account="root")

    assert grid.sancho("data", "rm", file, "--from", dataset, "-y", account="root").exit_code == 0
    assert grid.json("data", "ls", dataset) == []
    assert grid.json("data", "close", dataset, account="root")["open"] is False
    refused = grid.sancho(
        "data", "put", str(tmp_path / "a.txt"), "--did", f"{file}.2", "--dataset", dataset, account="root"
    )
    assert refused.exit_code == 1
    assert "closed" in refused.stderr
