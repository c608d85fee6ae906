"""Paths on the command line: listing directories, and paths wherever a DID may be said."""

from pathlib import Path

import pytest

from sancho_client.errors import BadInput
from sancho_client.names import parse_path
from tests.client.conftest import Grid


def given_tree(grid: Grid, unique: str, folder: Path) -> str:
    """Two files below `unique/`, one of them in a dataset of that name."""
    (folder / "a.bin").write_bytes(b"a" * 10)
    (folder / "b.bin").write_bytes(b"b" * 20)
    base = f"/belle/mc/{unique}"
    grid.json("data", "put", str(folder / "a.bin"), "--did", f"{base}/a.bin", "--dataset", base, account="root")
    grid.json("data", "put", str(folder / "b.bin"), "--did", f"mc:{unique}/sub/b.bin", account="root")
    return base


def test_a_directory_is_listed_beside_the_dataset_of_its_name(grid: Grid, unique: str, tmp_path: Path) -> None:
    base = given_tree(grid, unique, tmp_path)

    listed = grid.json("data", "ls", "-l", base)
    assert [(e["path"], e["kind"], e["files"], e["size"]) for e in listed] == [
        (base, "dataset", 1, 10),
        (f"{base}/a.bin", "file", None, 10),
        (f"{base}/sub/", "directory", 1, 20),
    ]
    assert [e["path"] for e in grid.json("data", "ls", f"{base}/")] == [f"{base}/a.bin", f"{base}/sub/"]
    assert grid.sancho("data", "ls", f"{base}/sub").stdout == f"{base}/sub/b.bin\tfile\n"
    above = {e["path"]: e["kind"] for e in grid.json("data", "ls", "/belle/mc")}
    assert (above[base], above[f"{base}/"]) == ("dataset", "directory")
    assert "/belle/mc/" in [e["path"] for e in grid.json("data", "ls", "/belle")]
    assert [e["path"] for e in grid.json("data", "ls", "/")] == ["/belle/"]
    assert [e["path"] for e in grid.json("data", "ls", base, "--kind", "directory")] == [f"{base}/sub/"]
    assert grid.sancho("data", "ls", f"{base}/a.bin").stdout == f"{base}/a.bin\tfile\n"


def test_du_shows_what_is_below(grid: Grid, unique: str, tmp_path: Path) -> None:
    base = given_tree(grid, unique, tmp_path)

    used = grid.json("data", "du", base, f"mc:{unique}")
    assert [(e["path"], e["files"], e["size"]) for e in used] == [
        (base, 1, 10),
        (f"{base}/sub/", 1, 20),
        (f"{base}/", 2, 30),
        (f"mc:{unique}", 1, 10),
    ]
    assert grid.sancho("data", "du", "-s", f"{base}/").stdout == f"30\t2\t{base}/\n"


def test_a_path_may_be_said_wherever_a_did_may(grid: Grid, unique: str, tmp_path: Path) -> None:
    base = given_tree(grid, unique, tmp_path)

    assert grid.json("data", "info", f"{base}/a.bin")["did"]["did"] == f"mc:{unique}/a.bin"
    assert [got["did"] for got in grid.json("data", "get", base, "-o", str(tmp_path / "down"))] == [
        f"mc:{unique}/a.bin"
    ]
    made = grid.json("rule", "add", f"{base}/a.bin", "A-DISK")
    assert made["did"] == f"mc:{unique}/a.bin"
    assert made["rule_id"] in [r["rule_id"] for r in grid.json("rule", "list", "--did", f"{base}/a.bin")]
    assert grid.json("data", "close", base, account="root")["open"] is False
    assert grid.json("data", "rm", f"{base}/a.bin", "--yes")["withdrawn"] == [made["rule_id"]]
    assert grid.json("can", "root", "dids:create", "--on", f"{base}/x", account="root")["on"] == f"did:mc:{unique}/x"
    open_dataset = f"{base}.open"
    grid.json("data", "put", str(tmp_path / "b.bin"), "--did", f"{base}/c", "--dataset", open_dataset, account="root")
    assert grid.sancho("data", "rm", f"{base}/c", "--from", open_dataset, "--yes", account="root").exit_code == 0
    assert grid.json("data", "ls", open_dataset) == []


def test_what_is_no_path_of_ones_own_vo_is_refused(grid: Grid, unique: str, tmp_path: Path) -> None:
    base = given_tree(grid, unique, tmp_path)

    def refused(*words: str) -> str:
        ended = grid.sancho(*words)
        assert ended.exit_code == 1, ended.output
        return ended.stderr

    assert "is in VO gridpp" in refused("data", "ls", "/gridpp/mc")
    assert "is in VO gridpp" in refused("data", "info", f"/gridpp/mc/{unique}/a.bin")
    assert "is a directory" in refused("data", "info", f"{base}/")
    assert "is not a path" in refused("data", "ls", "/belle/mc/../raw")
    assert "is not a path" in refused("data", "get", "/belle//mc")
    assert "There is nothing at" in refused("data", "ls", f"{base}/nothing")
    for wild in ("%", "_", "*"):
        assert "There is nothing at" in refused("data", "ls", f"{base[:-1]}{wild}")


@pytest.mark.parametrize("text", ["", "a", "mc:a", "//", "/a//b", "/a/./b", "/a/../b", "/a/b/c//"])
def test_what_is_no_path(text: str) -> None:
    with pytest.raises(BadInput):
        parse_path(text)


@pytest.mark.parametrize("text", ["/", "/belle", "/belle/", "/belle/mc/", "/belle/mc/a/b", "/belle/mc/a/b/"])
def test_a_path_is_spelled_as_it_was_read(text: str) -> None:
    assert str(parse_path(text)) == text
