"""The folder of a grid, and what is remembered in it."""

import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from sancho.local.home import (
    PORTS,
    Config,
    ConfigUnreadable,
    Home,
    HomeBusy,
    NoGrid,
    PortTaken,
    StorageConfig,
    choose_port,
    port_free,
    storage_ports,
)


def test_what_was_chosen_is_remembered_word_for_word(folder: Path) -> None:
    home = Home(folder / "grid")
    home.make()
    config = Config(
        port=8443,
        tls=True,
        vos=("belle", 'we"ird\\ü'),
        storages={"disk.a": StorageConfig(site="site-a", port=8600)},
        postgres_bin=Path("/opt/pg/bin"),
        database_url="postgresql://o'wner:s%20ecret@h/db",
        begun=("belle",),
    )
    home.save(config)
    assert home.config() == config
    assert stat.S_IMODE(home.config_file.stat().st_mode) == 0o600


def test_a_home_is_private_and_folders_that_exist_stay_as_they_are(folder: Path) -> None:
    before = folder.stat().st_mode
    home = Home(folder / "deep" / "grid")
    home.make()
    passable = 0o711 if os.geteuid() == 0 else 0o700
    assert stat.S_IMODE((folder / "deep").stat().st_mode) == passable
    assert stat.S_IMODE(home.folder.stat().st_mode) == passable
    for name in ("keys", "objects", "storage", "ce", "logs", "run", "tls", "tokens"):
        assert stat.S_IMODE((home.folder / name).stat().st_mode) == 0o700
    assert folder.stat().st_mode == before
    home.folder.chmod(0o750)
    home.make()
    assert stat.S_IMODE(home.folder.stat().st_mode) == 0o750


def test_a_folder_without_a_grid_and_a_broken_config_say_what_to_do(folder: Path) -> None:
    home = Home(folder)
    with pytest.raises(NoGrid) as caught:
        home.config()
    assert "sancho up" in str(caught.value.hint)
    home.config_file.write_text("port = 'many'")
    with pytest.raises(ConfigUnreadable, match="port"):
        home.config()
    home.config_file.write_text("port = ")
    with pytest.raises(ConfigUnreadable, match=r"config\.toml"):
        home.config()


def test_one_command_at_a_time_starts_or_stops_a_grid(folder: Path) -> None:
    home = Home(folder / "grid")
    home.make()
    code = "import sys; from sancho.local.home import Home\nwith Home(sys.argv[1]).locked(): print('in')"
    code = code.replace("Home(sys.argv[1])", f"Home(__import__('pathlib').Path({str(home.folder)!r}))")
    with home.locked():
        with pytest.raises(HomeBusy), home.locked():
            pass
        other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert "HomeBusy" in other.stderr
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert other.stdout == "in\n"


def test_a_wanted_port_that_is_taken_is_an_error_and_others_are_passed_over() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert not port_free(port)
        with pytest.raises(PortTaken, match=str(port)):
            choose_port(port, tls=False)
        assert choose_port(None, tls=False) in PORTS
    assert choose_port(port, tls=False) == port
    ports = storage_ports(seed="a")
    first, second = next(ports), next(ports)
    assert first != second
    assert next(storage_ports(seed="a")) == first
    assert next(storage_ports(seed="a", spare=[first])) == second
