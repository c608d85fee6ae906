"""What is on storages, asked with the command line."""

from pathlib import Path

from tests.client.conftest import Grid


def test_usage_of_an_rse_is_what_the_vo_has_there_and_what_is_reported(grid: Grid, tmp_path: Path, unique: str) -> None:
    (tmp_path / "a.txt").write_text(unique)
    grid.json("data", "put", str(tmp_path / "a.txt"), "--did", f"mc:{unique}", "--on", "A-DISK", account="root")

    (ours,) = grid.json("rse", "usage", "A-DISK", account="root")
    assert (ours["source"], ours["used"] >= 8, ours["free"]) == ("catalogue", True, None)
