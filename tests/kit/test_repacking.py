"""Archives become tar.gz that pilots unpack, within limits, and hostile ones become nothing."""

import io
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from sancho.kit import repacking
from sancho.kit.archives import ArchiveRefused, Repacker, RepackingBusy
from sancho_pilot.sandbox import unpack

Change = Callable[[tarfile.TarInfo], None]


def tar(*members: tuple[str, bytes, Change | None], mode: str = "w") -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode=mode) as made:  # pyright: ignore[reportCallIssue, reportArgumentType]
        for name, content, change in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            if change is not None:
                change(info)
            made.addfile(info, io.BytesIO(content))
    return raw.getvalue()


def zstd(content: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(content)


async def repacked(content: bytes, name: str = "x.tar") -> bytes:
    with os.fdopen(os.memfd_create("given"), "w+b") as given, os.fdopen(os.memfd_create("made"), "w+b") as made:
        given.write(content)
        given.seek(0)
        await Repacker().repack(given, made, name)
        made.seek(0)
        return made.read()


def executable(info: tarfile.TarInfo) -> None:
    info.mode, info.mtime, info.uid, info.uname = 0o4777, 1_600_000_000, 7, "somebody"


def of_type(kind: bytes, link: str = "") -> Change:
    def change(info: tarfile.TarInfo) -> None:
        info.type, info.linkname, info.size = kind, link, 0

    return change


@pytest.mark.parametrize("mode", ["w", "w:bz2", "w:gz"])
async def test_files_and_folders_come_through_and_nothing_of_their_owners(mode: str, tmp_path: Path) -> None:
    given = tar(
        (".", b"", of_type(tarfile.DIRTYPE)), ("./run.sh", b"#!", executable), ("d/e/", b"", of_type(tarfile.DIRTYPE)),
        ("d/" + "x" * 200, b"long", None), ("ä\udcff", b"odd", None), mode=mode,
    )  # fmt: skip
    made = await repacked(zstd(given) if mode == "w" else given)
    with tarfile.open(fileobj=io.BytesIO(made), mode="r:gz") as read:
        run = read.getmember("run.sh")
    assert (run.mode, run.mtime, run.uid, run.uname) == (0o755, 1_600_000_000, 0, "")
    (tmp_path / "sandbox.tar.gz").write_bytes(made)
    unpack(str(tmp_path / "sandbox.tar.gz"), str(tmp_path / "work"))
    assert (tmp_path / "work" / "d" / ("x" * 200)).read_text() == "long"


async def test_the_same_gives_the_same_and_another_name_another() -> None:
    given = zstd(tar(("a", b"x", None)))
    first, again, other = await repacked(given), await repacked(given), await repacked(given, "y.tar")
    assert (first == again, first == other) == (True, False)


@pytest.mark.parametrize(("members", "text"), [
    ([("/a", b"", None)], "leads outside"),
    ([("a/../../b", b"", None)], "leads outside"),
    ([("a", b"", of_type(tarfile.SYMTYPE, "/etc/passwd"))], "neither a file nor a folder"),
    ([("a", b"", of_type(tarfile.LNKTYPE, "b"))], "neither a file nor a folder"),
    ([("a", b"", of_type(tarfile.CHRTYPE))], "neither a file nor a folder"),
    ([("a", b"", of_type(tarfile.FIFOTYPE))], "neither a file nor a folder"),
])  # fmt: skip
async def test_what_is_no_file_below_the_archive_is_refused(
    members: list[tuple[str, bytes, Change | None]], text: str
) -> None:
    with pytest.raises(ArchiveRefused, match=text):
        await repacked(zstd(tar(*members)))


@pytest.mark.parametrize(("content", "text"), [
    (b"", "none of"), (b"PK\x03\x04", "none of"), (b"BZhjunk", "cannot be read"), (b"\x1f\x8bjunk", "cannot be read"),
    (zstd(b"x" * 5000), "cannot be read"), (zstd(tar(("a", b"x" * 5000, None)))[:-20], "cannot be read"),
    (zstd(tar(("a", b"x" * 5000, None))[:2000]), "cannot be read"),
])  # fmt: skip
async def test_what_is_no_archive_is_refused(content: bytes, text: str) -> None:
    with pytest.raises(ArchiveRefused, match=text):
        await repacked(content)


def bomb(size: int, kind: bytes | None = None) -> bytes:
    """A small archive of one member that is large."""
    info = tarfile.TarInfo("zeros")
    info.size = size
    if kind is not None:
        info.type = kind
    packer, out = zstandard.ZstdCompressor(), io.BytesIO()
    with packer.stream_writer(out, closefd=False) as zipped:
        zipped.write(info.tobuf(tarfile.GNU_FORMAT))
        for _ in range(size >> 20):
            zipped.write(bytes(1 << 20))
        zipped.write(bytes(10240))
    return out.getvalue()


async def test_a_bomb_does_not_go_off(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ArchiveRefused, match="unpacks to more than"):
        await repacked(bomb((1 << 30) + (1 << 20)))
    with pytest.raises(ArchiveRefused, match=r"memory|unpacks to more"):
        await repacked(bomb(1 << 30, tarfile.XHDTYPE))
    monkeypatch.setattr(repacking, "MOST_MEMBERS", 3)
    many = tar(*[(f"f{n}", b"", None) for n in range(4)])
    with pytest.raises(repacking.ArchiveUnfit, match="more than 3 members"):
        repacking.repack(io.BytesIO(zstd(many)), io.BytesIO(), "x")


async def test_a_window_that_is_too_large_is_refused() -> None:
    parameters = zstandard.ZstdCompressionParameters.from_level(1, window_log=28)
    packer, out = zstandard.ZstdCompressor(compression_params=parameters), io.BytesIO()
    with packer.stream_writer(out, closefd=False) as zipped:
        zipped.write(tar(("a", b"x", None)))
    with pytest.raises(ArchiveRefused, match="cannot be read"):
        await repacked(out.getvalue())


async def test_who_comes_when_enough_wait_is_told_to_come_again(tmp_path: Path) -> None:
    repacker = Repacker(waiting=-1)
    with (tmp_path / "x").open("w+b") as file, pytest.raises(RepackingBusy):
        await repacker.repack(file, file, "x")
