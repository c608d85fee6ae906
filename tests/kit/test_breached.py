"""A file of hashes of stolen passwords is searched by halves, and looked at before it is used."""

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sancho.kit.breached import LONGEST_LINE, BreachedListUnfit, BreachedPasswords


def line(password: str, count: int = 3) -> bytes:
    digest = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()
    return f"{digest}:{count}".encode()


def written(folder: Path, lines: list[bytes], end: bytes = b"\n") -> Path:
    path = folder / "breached.txt"
    path.write_bytes(end.join(lines) + end)
    return path


@given(st.sets(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=40), st.data())
def test_every_password_of_the_list_is_found_and_no_other(
    tmp_path_factory: pytest.TempPathFactory, passwords: set[str], data: st.DataObject
) -> None:
    counts = st.integers(1, 10**9)
    lines = sorted(line(p, data.draw(counts)) for p in passwords)
    end = data.draw(st.sampled_from([b"\n", b"\r\n"]))

    breached = BreachedPasswords(written(tmp_path_factory.mktemp("list"), lines, end))

    assert all(breached.has(password) for password in passwords)
    assert not breached.has("".join(sorted(passwords)) + " and more")


def test_the_last_line_needs_no_end_and_hashes_may_be_small(tmp_path: Path) -> None:
    path = tmp_path / "breached.txt"
    path.write_bytes(b"\n".join(sorted(line(str(n)).lower() for n in range(9))))

    breached = BreachedPasswords(path)

    assert [breached.has(str(n)) for n in range(10)] == [True] * 9 + [False]


def test_of_a_large_file_little_is_read(tmp_path: Path) -> None:
    path = tmp_path / "breached.txt"
    lines = sorted(line(f"password {n}") for n in range(50_000))
    path.write_bytes(b"\n".join(lines) + b"\n")
    read: list[int] = []

    class Counted(BreachedPasswords):
        def _hash_from(self, file: object, position: int) -> bytes | None:
            read.append(position)
            return super()._hash_from(file, position)  # pyright: ignore[reportArgumentType]

    breached = Counted(path)
    read.clear()

    assert breached.has("password 4711")
    assert len(read) * 2 * LONGEST_LINE < path.stat().st_size / 100


def test_a_newer_file_takes_its_place_by_a_rename(tmp_path: Path) -> None:
    path = written(tmp_path, [line("old")])
    breached = BreachedPasswords(path)

    (tmp_path / "newer").mkdir()
    written(tmp_path / "newer", sorted([line("old"), line("new")])).rename(path)

    assert breached.has("new")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is empty"),
        (line("a")[:32] + b":3\n", "not HASH:COUNT"),
        (line("a")[:40] + b"\n", "not HASH:COUNT"),
        (b"hunter2\npassword\n", "not HASH:COUNT"),
        (b"\0" * 10_000, "not HASH:COUNT"),
        (b"\n".join(sorted((line(str(n)) for n in range(100)), reverse=True)), "not sorted"),
    ],
    ids=["empty", "ntlm", "no count", "plain", "no lines", "by count"],
)
def test_a_file_of_another_form_or_order_is_refused_at_the_start(tmp_path: Path, content: bytes, why: str) -> None:
    path = tmp_path / "breached.txt"
    path.write_bytes(content)

    with pytest.raises(BreachedListUnfit, match=why) as e:
        BreachedPasswords(path)

    assert str(path) in str(e.value)
    assert "SANCHO_BREACHED_PASSWORDS" in (e.value.hint or "")


def test_a_file_that_is_not_there_is_refused_at_the_start_and_missed_later(tmp_path: Path) -> None:
    with pytest.raises(BreachedListUnfit, match="No such file"):
        BreachedPasswords(tmp_path / "nothing")

    path = written(tmp_path, [line("a")])
    breached = BreachedPasswords(path)
    path.unlink()
    with pytest.raises(BreachedListUnfit):
        breached.has("a")
