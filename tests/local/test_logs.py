"""Logs that rotate."""

import stat
from pathlib import Path

from sancho.local.logs import RotatingLog, last_lines


def test_a_full_log_is_put_aside_and_only_so_many_are_kept(tmp_path: Path) -> None:
    log = RotatingLog(tmp_path / "a.log", limit=10, keep=2)
    for number in range(5):
        log.write(f"line {number}\n".encode())
    log.close()
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "a.log": "line 4\n",
        "a.log.1": "line 3\n",
        "a.log.2": "line 2\n",
    }
    assert stat.S_IMODE((tmp_path / "a.log").stat().st_mode) == 0o600


def test_a_log_goes_on_where_an_earlier_process_left_it(tmp_path: Path) -> None:
    for word in (b"one\n", b"two\n"):
        log = RotatingLog(tmp_path / "a.log", limit=100, keep=2)
        log.write(word)
        log.close()
    assert last_lines(tmp_path / "a.log") == ["one", "two"]
    assert last_lines(tmp_path / "a.log", 1) == ["two"]
    assert last_lines(tmp_path / "none.log") == []


def test_what_is_longer_than_the_limit_is_written_whole(tmp_path: Path) -> None:
    log = RotatingLog(tmp_path / "a.log", limit=4, keep=1)
    log.write(b"much longer\n")
    log.write(b"next\n")
    log.close()
    assert (tmp_path / "a.log.1").read_text() == "much longer\n"
    assert (tmp_path / "a.log").read_text() == "next\n"
