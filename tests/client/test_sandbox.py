"""Sandboxes: the same files make the same archive, and nothing leaves the folder it is unpacked into."""

import io
import os
import tarfile
from pathlib import Path

import pytest

from sancho_client.data import sandbox
from sancho_client.errors import BadInput, Damaged


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    (folder / "lib").mkdir(parents=True)
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "run.sh").chmod(0o755)
    (folder / "lib" / "tool.py").write_text("x = 1\n")
    return folder


def packed(files: list[str], folder: Path) -> tuple[str, bytes]:
    with sandbox.pack(files, folder) as made:
        content = made.file.read()
        assert len(content) == made.size
        return made.sha256, content


def test_the_same_files_make_the_same_archive(work: Path) -> None:
    first = packed(["run.sh", "lib"], work)
    for path in (work / "run.sh", work / "lib" / "tool.py"):
        os.utime(path, (1, 1))
    (work / "lib" / "tool.py").chmod(0o600)

    assert packed(["lib", "run.sh"], work) == first


def test_what_is_packed_comes_out_again(work: Path, tmp_path: Path) -> None:
    _, content = packed(["run.sh", "lib"], work)

    written = sandbox.unpack(io.BytesIO(content), tmp_path / "out")

    assert sorted(p.relative_to(tmp_path / "out").as_posix() for p in written) == ["lib/tool.py", "run.sh"]
    assert (tmp_path / "out" / "lib" / "tool.py").read_text() == "x = 1\n"
    assert os.access(tmp_path / "out" / "run.sh", os.X_OK)


def test_a_file_from_elsewhere_comes_by_its_name(work: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")

    _, content = packed(["../config.json"], work)

    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        assert archive.getnames() == ["config.json"]


def test_a_missing_file_is_named(work: Path) -> None:
    with pytest.raises(BadInput, match=r"nothing\.py does not exist"), sandbox.pack(["nothing.py"], work):
        pass


@pytest.mark.parametrize("name", ["../escaped", "/escaped", "a/../../escaped"])
def test_nothing_is_unpacked_outside_of_the_folder(tmp_path: Path, name: str) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        member = tarfile.TarInfo(name)
        member.size = 1
        archive.addfile(member, io.BytesIO(b"x"))
    out.seek(0)

    with pytest.raises(BadInput):
        sandbox.unpack(out, tmp_path / "out")
    assert not (tmp_path / "escaped").exists()


def test_links_are_left_out(tmp_path: Path) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE):
            member = tarfile.TarInfo("a")
            member.type = kind
            member.linkname = "/etc/passwd"
            archive.addfile(member)
    out.seek(0)

    assert sandbox.unpack(out, tmp_path / "out") == []
    assert not (tmp_path / "out").exists()


def test_bytes_that_are_no_archive_are_damaged(tmp_path: Path) -> None:
    with pytest.raises(Damaged):
        sandbox.unpack(io.BytesIO(b"not a tar.gz"), tmp_path)
