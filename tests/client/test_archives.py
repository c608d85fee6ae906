"""`sancho data pack|members|archives|unpack|guid|sample`, and `get` of what lies in an archive, on a served grid."""

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.client.conftest import Grid

CONTENT = b"events " * 50_000


def zipped(path: Path, *names: str) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        made.mkdir("empty")
        for name in names:
            made.writestr(name, CONTENT + name.encode())
    return path


def tarred(path: Path, *names: str) -> Path:
    with tarfile.open(path, "w:gz" if path.name.endswith("gz") else "w") as made:
        for name in names:
            inside = tarfile.TarInfo(f"./{name}")
            inside.size = len(CONTENT) + len(name)
            made.addfile(inside, io.BytesIO(CONTENT + name.encode()))
    return path


def test_a_file_is_found_in_its_archive_and_read_out_of_it(grid: Grid, tmp_path: Path, unique: str) -> None:
    local = zipped(tmp_path / "a.zip", f"{unique}/in/f", f"{unique}/g")
    archive, f = f"mc:{unique}.zip", f"mc:{unique}/in/f"
    grid.json("data", "put", str(local), "--did", archive)

    assert grid.json("data", "pack", archive, "--from", str(local)) == {"files": 2}
    listed = grid.json("data", "members", archive)
    assert [(one["did"], one["size"]) for one in listed] == [
        (f, len(CONTENT) + len(unique) + 5), (f"mc:{unique}/g", len(CONTENT) + len(unique) + 2),
    ]  # fmt: skip
    assert [one["did"] for one in grid.json("data", "archives", f)] == [archive]
    assert archive in grid.sancho("data", "info", f).stdout
    [got] = grid.json("data", "get", f, "-o", str(tmp_path / "out"))
    assert Path(got["path"]).read_bytes() == CONTENT + f"{unique}/in/f".encode()
    assert grid.json("data", "get", f, "-o", str(tmp_path / "out"))[0]["already"] is True


@pytest.mark.parametrize("ending", ["tar", "tar.gz"])
def test_a_file_is_read_out_of_a_tar(grid: Grid, tmp_path: Path, unique: str, ending: str) -> None:
    local = tarred(tmp_path / f"a.{ending}", f"{unique}/g", f"{unique}/f")
    grid.json("data", "put", str(local), "--did", f"mc:{unique}.{ending}")
    assert grid.json("data", "pack", f"mc:{unique}.{ending}", "--from", str(local)) == {"files": 2}
    [got] = grid.json("data", "get", f"mc:{unique}/f", "-o", str(tmp_path / "out"))
    assert Path(got["path"]).read_bytes() == CONTENT + f"{unique}/f".encode()


def test_what_is_not_in_its_archive_or_differs_is_not_written(grid: Grid, tmp_path: Path, unique: str) -> None:
    local = zipped(tmp_path / "a.zip", f"{unique}/f", f"{unique}/g")
    archive = f"mc:{unique}.zip"
    grid.json("data", "put", str(local), "--did", archive)
    size = len(CONTENT) + len(unique) + 2
    named = [f"mc:{unique}/f={size},00000001", f"mc:{unique}/g={size - 1}", f"mc:{unique}/no={size}"]
    assert grid.json("data", "pack", archive, *named) == {"files": 3}

    for name, said in (("f", "with adler32"), ("g", "more than"), ("no", "no item")):
        ended = grid.sancho("data", "get", f"mc:{unique}/{name}", "-o", str(tmp_path / "out"))
        assert (ended.exit_code, said in ended.stderr) == (1, True), ended.output
    assert not [p for p in (tmp_path / "out").rglob("*") if p.is_file()]
    assert grid.json("data", "unpack", archive, f"mc:{unique}/no") == {"files": 1}
    gone = grid.sancho("data", "get", f"mc:{unique}/no", "-o", str(tmp_path / "out"))
    assert "cannot be read from anywhere" in gone.stderr


def test_what_cannot_be_packed_is_said(grid: Grid, tmp_path: Path, unique: str) -> None:
    (tmp_path / "text").write_text("no archive")
    for words, code in (
        (["--from", str(tmp_path / "text")], 1),
        (["--from", str(tmp_path / "none")], 1),
        ([], 1),
        ([f"mc:{unique}=many"], 2),
        ([f"mc:{unique}=1"], 1),
    ):
        assert grid.sancho("data", "pack", f"mc:{unique}.zip", *words).exit_code == code, words


def test_a_sample_is_made_and_a_file_found_by_its_guid(grid: Grid, tmp_path: Path, unique: str) -> None:
    (tmp_path / "a.txt").write_text(unique)
    guid = unique.encode().hex().ljust(32, "0")[:32]
    words = ["data", "register", f"mc:{unique}/old", "7", "--rse", "A-DISK", "--guid", guid]
    assert grid.sancho(*words, "--dataset", f"mc:{unique}", account="root").exit_code == 0
    assert grid.json("data", "guid", guid)["did"] == f"mc:{unique}/old"
    assert guid[:8] in grid.sancho("data", "info", f"mc:{unique}/old").stdout
    newest = grid.json("data", "new", "--kind", "dataset", "--limit", "1")
    assert [one["did"] for one in newest] == [f"mc:{unique}"]
    assert grid.json("data", "sample", f"mc:{unique}", f"mc:{unique}.few", "3")["did"] == f"mc:{unique}.few"
