"""Inputs that a pilot keeps between jobs: whose they are, that they are what they were, and how much room they take."""

import shutil
import threading
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from sancho_pilot import cache as module
from sancho_pilot.cache import Cache
from sancho_pilot.model import Input

NEVER = threading.Event()


class Disk(NamedTuple):
    """As shutil tells it."""

    total: int
    used: int
    free: int


def wanted(did: str = "mc:a", size: int = 5, adler32: str | None = "00000001") -> Input:
    return Input(did=did, name=did.partition(":")[2], size=size, adler32=adler32, sources=1)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Say how much is free on the disk."""

    def say(free: int) -> None:
        def usage(_path: str) -> Disk:
            return Disk(free, 0, free)

        monkeypatch.setattr(shutil, "disk_usage", usage)

    say(10**12)
    return say


def kept(folder: Path, *inputs: Input, vo: str = "belle") -> Cache:
    """A cache with inputs that one job has fetched."""
    made = Cache(str(folder / "cache"))
    made.serve([vo])
    for one in inputs:
        path = folder / one.name
        path.write_bytes(b"x" * one.size)
        made.keep(vo, one, str(path), NEVER)
    return made


def test_what_one_job_has_fetched_the_next_one_gets_as_a_copy(tmp_path: Path, disk: Any) -> None:
    cache = kept(tmp_path, wanted())
    assert cache.warm() == ("belle", ("mc:a",))
    (tmp_path / "a").unlink()
    assert cache.fill("belle", wanted(), str(tmp_path / "next"))
    (tmp_path / "next").write_bytes(b"changed by its job")
    assert cache.fill("belle", wanted(), str(tmp_path / "third"))
    assert (tmp_path / "third").read_bytes() == b"xxxxx"


@pytest.mark.parametrize(
    ("vo", "other"),
    [
        ("gridpp", wanted()), ("", wanted()), ("belle", wanted("mc:b")), ("belle", wanted(adler32="00000002")),
        ("belle", wanted(size=6)), ("belle", wanted(adler32=None)),
    ],
)  # fmt: skip
def test_only_the_very_input_that_a_job_declares_is_given(tmp_path: Path, disk: Any, vo: str, other: Input) -> None:
    assert not kept(tmp_path, wanted()).fill(vo, other, str(tmp_path / "next"))
    assert not (tmp_path / "next").exists()


def test_what_a_payload_has_changed_is_fetched_anew(tmp_path: Path, disk: Any) -> None:
    cache = kept(tmp_path, wanted())
    (tmp_path / "a").write_bytes(b"bogus")
    assert not cache.fill("belle", wanted(), str(tmp_path / "next"))
    assert cache.warm() == ("belle", ())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "cache"]


def test_a_link_is_not_followed(tmp_path: Path, disk: Any) -> None:
    cache = kept(tmp_path, wanted())
    (one,) = (tmp_path / "cache").iterdir()
    one.unlink()
    one.symlink_to(tmp_path / "a")
    assert not cache.fill("belle", wanted(), str(tmp_path / "next"))


def test_files_of_one_vo_are_gone_before_a_job_of_another_begins(tmp_path: Path, disk: Any) -> None:
    cache = kept(tmp_path, wanted())
    cache.serve(["belle", "belle"])
    assert cache.warm()[1] == ("mc:a",)
    cache.serve(["belle", "gridpp"])
    assert cache.warm() == ("", ())
    assert list((tmp_path / "cache").iterdir()) == []
    cache.keep("belle", wanted(), str(tmp_path / "a"), NEVER)
    assert cache.warm() == ("", ()), "nothing is kept while both have payloads"


def test_the_longest_unused_go_first(tmp_path: Path, disk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_FILES", 2)
    cache = kept(tmp_path, wanted("mc:a"), wanted("mc:b"))
    assert cache.fill("belle", wanted("mc:a"), str(tmp_path / "again"))
    path = tmp_path / "c"
    path.write_bytes(b"xxxxx")
    cache.keep("belle", wanted("mc:c"), str(path), NEVER)
    assert cache.warm() == ("belle", ("mc:c", "mc:a"))
    assert len(list((tmp_path / "cache").iterdir())) == 2


def test_no_more_is_kept_than_there_is_room_for(tmp_path: Path, disk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 12)
    assert kept(tmp_path, wanted("mc:large", size=7)).warm()[1] == ()
    cache = kept(tmp_path, wanted("mc:a"), wanted("mc:b"), wanted("mc:c"))
    assert cache.warm()[1] == ("mc:c", "mc:b")
    disk(10**9)
    path = tmp_path / "d"
    path.write_bytes(b"xxxxx")
    cache.keep("belle", wanted("mc:d"), str(path), NEVER)
    assert cache.warm()[1] == (), "when the disk runs full all goes"
    assert kept(tmp_path, wanted()).warm()[1] == (), "and nothing is kept on a small one"


def test_what_a_former_pilot_kept_is_removed(tmp_path: Path, disk: Any) -> None:
    kept(tmp_path, wanted())
    assert Cache(str(tmp_path / "cache")).warm() == ("", ())
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("did", ["gridpp/mc:a", "mc:" + "a" * 231, "m c:a", "mc:a\nb"])
def test_what_cannot_be_told_is_not_kept(tmp_path: Path, disk: Any, did: str) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"xxxxx")
    cache = Cache(str(tmp_path / "cache"))
    cache.serve(["belle"])
    cache.keep("belle", wanted(did), str(path), NEVER)
    assert cache.warm()[1] == ()
