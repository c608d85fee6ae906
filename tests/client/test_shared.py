"""Datasets of another VO, from the command line."""

from pathlib import Path

from tests.client.conftest import Grid


def test_a_dataset_that_another_vo_shares_is_listed_and_downloaded(grid: Grid, unique: str, tmp_path: Path) -> None:
    (sent := tmp_path / f"file-{unique}").write_bytes(b"for the neighbours")
    dataset = f"mc:set-{unique}"
    put = grid.sancho("data", "put", str(sent), "--scope", "mc", "--dataset", dataset)
    assert put.exit_code == 0, put.output
    grant = tmp_path / "grant.yaml"
    grant.write_text(f"{{kind: DatasetGrant, name: '{dataset}', vo: belle, spec: {{to: [gridpp]}}}}")
    applied = grid.sancho("apply", "-f", str(grant), account="root")
    assert applied.exit_code == 0, applied.output

    assert {"vo": "belle", "did": dataset} in grid.json("data", "shared", vo="gridpp")
    listed = grid.json("data", "ls", dataset, "--of", "belle", vo="gridpp")
    assert [one["did"] for one in listed] == [f"mc:file-{unique}"]
    got = grid.sancho("data", "get", dataset, "--of", "belle", "-o", str(tmp_path / "got"), vo="gridpp")
    assert got.exit_code == 0, got.output
    assert (tmp_path / "got" / f"file-{unique}").read_bytes() == b"for the neighbours"
    assert grid.sancho("data", "get", dataset, "-o", str(tmp_path / "no"), vo="gridpp").exit_code == 1
