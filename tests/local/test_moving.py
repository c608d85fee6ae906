"""A grid in another home, or on other ports than before: what the database says of both follows."""

import socket
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from sancho.local import control, grid
from sancho.local.grid import Wishes
from sancho.local.home import Home
from sancho.local.processes import wait_until
from sancho_client.calls import configuration, jobs
from sancho_client.models.jobs import JobDescription
from tests.local.running import free_port, said, sancho, speaking

pytestmark = pytest.mark.xdist_group("grid")
SITES = {"ce-a", "ce-b", "disk-a", "disk-b"}


@pytest.fixture
def old(up: dict[str, Any]) -> Path:
    """The home of a grid that runs; others may pass through the folder around it."""
    return Path(up["home"])


@pytest.fixture
def new(old: Path) -> Iterator[Path]:
    """A home for what is restored from its backup."""
    home = old.parent / "new"
    yield home
    control.stop(home)


def specs(home: Path) -> dict[str, Any]:
    """What the grid's own configuration says of its CEs and storages."""
    with speaking(home, "instance") as client:
        return {one.name: one.spec for one in client.pages(configuration.documents()) if one.name in SITES}


def ports(home: Path) -> dict[str, int]:
    config = tomllib.loads((home / "config.toml").read_text())
    return {name: one["port"] for name, one in config["storages"].items()}


def run_job(home: Path) -> Path:
    """Run a job, and return the folder it ran in."""
    with speaking(home, "belle") as client:
        (job,) = client.send(jobs.submit(JobDescription(name="where", command=["pwd"]))).job_ids
        assert wait_until(lambda: client.send(jobs.show(job)).state == "done", timeout=120, step=0.2)
        return Path(client.send(jobs.log(job)).tail.strip())


def test_a_restored_grid_runs_beside_the_old_one_in_its_own_folders_and_ports(
    old: Path, new: Path, tmp_path: Path
) -> None:
    change = tmp_path / "ce.yaml"
    spec = {**specs(old)["ce-a"], "max_pilots": 3}
    change.write_text(yaml.safe_dump({"kind": "ComputeElement", "name": "ce-a", "spec": spec}))
    there = said("env", "--home", str(old), "--vo", "instance")
    said("apply", "-f", str(change), environment=there)
    before = specs(old)
    said("backup", str(tmp_path / "grid.tar"), "--home", str(old))

    said("restore", str(tmp_path / "grid.tar"), "--home", str(new))
    refused = sancho("up", "--home", str(new))
    assert refused.returncode == 1
    assert "the API would listen on" in refused.stderr
    assert "choose another port for the API with `--port`" in refused.stderr
    said("up", "--home", str(new), "--port", str(free_port()))

    assert specs(old) == before
    now = specs(new)
    assert now["ce-a"]["settings"]["folder"] == str(new / "ce" / "ce-a")
    assert now["ce-a"]["max_pilots"] == 3
    assert not set(ports(old).values()) & set(ports(new).values())
    for name, port in ports(new).items():
        assert now[name]["prefix"] == f"http://127.0.0.1:{port}"
    said_at_first = (new / "topology.yaml").read_text()
    assert str(old) not in said_at_first
    assert str(new / "ce" / "ce-b") in said_at_first
    with speaking(new, "instance") as client:
        comments = [one.comment for one in client.pages(configuration.versions())]
    assert comments[:2] == [f"where the CEs and storages of {new} are"] * 2
    assert run_job(new).is_relative_to(new / "ce")
    assert run_job(old).is_relative_to(old / "ce")


def listening(port: int) -> socket.socket:
    """A stranger on a port."""
    taken = socket.socket()
    taken.bind(("127.0.0.1", port))
    taken.listen()
    return taken


def test_a_storage_whose_port_somebody_took_gets_another(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "GIVEN_UP_AFTER", 1)
    home = old
    assert sancho("down", "--home", str(home)).returncode == 0
    before = ports(home)
    heard: list[str] = []
    with ExitStack() as stack:
        stack.enter_context(listening(before["disk-a"]))

        def hear(words: str) -> None:
            """Take the port that was chosen instead, too, before the grid listens there."""
            heard.append(words)
            if words == "starting the database" and heard.count(words) == 1:
                stack.enter_context(listening(ports(home)["disk-a"]))

        grid.up(Home(home), Wishes(), hear)

    after = ports(home)
    chosen = [words for words in heard if "is in use" in words]
    assert len(chosen) == 2
    assert f"port {before['disk-a']} is in use: disk-a gets port" in chosen[0]
    assert chosen[1].endswith(f"disk-a gets port {after['disk-a']}")
    assert after["disk-a"] != before["disk-a"]
    assert after["disk-b"] == before["disk-b"]
    assert specs(home)["disk-a"]["prefix"] == f"http://127.0.0.1:{after['disk-a']}"
    assert said("status", "--home", str(home))["ready"]
