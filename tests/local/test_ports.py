"""A grid whose port somebody takes between its choice and its start."""

import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from sancho.local import control, grid
from sancho.local.grid import Wishes
from sancho.local.home import Home, PortTaken
from tests.local.running import free_port, who

pytestmark = pytest.mark.xdist_group("grid")


NOT_READY = "somebody else listens on its port"


def fail_to_start(home: Path) -> None:
    """Start nothing: what a grid ends with whose API cannot have its port, for which it would need many seconds."""
    raise control.NotReady(name="api", why=NOT_READY, log=home / "logs" / "api.log")


class Stranger(SimpleHTTPRequestHandler):
    """Answers whatever it is asked, as a grid of somebody else's would when asked whether it is ready."""

    def do_GET(self) -> None:
        """Say yes."""
        self.send_response(200)
        self.end_headers()


class Thief:
    """Hears what `up` says, and takes the API's port of a new grid once it is chosen."""

    def __init__(self, home: Home) -> None:
        self.home, self.said = home, list[str]()
        self.server: ThreadingHTTPServer | None = None

    def say(self, words: str) -> None:
        """Hear."""
        self.said.append(words)
        if words == "starting the database" and self.server is None:
            self.server = ThreadingHTTPServer(("127.0.0.1", self.home.config().port), Stranger)
            threading.Thread(target=self.server.serve_forever).start()

    @property
    def port(self) -> int:
        """The port that was taken."""
        assert self.server is not None
        return self.server.server_port

    def end(self) -> None:
        """Give it back."""
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()


def test_a_new_grid_whose_port_is_taken_before_it_listens_there_gets_another(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(folder / "grid")
    thief = Thief(home)
    starts = iter([fail_to_start, control.start])

    def start(home: Path) -> None:
        next(starts)(home)

    monkeypatch.setattr(control, "start", start)
    try:
        ready = grid.up(home, Wishes(vos=("belle",)), thief.say)
        assert f"port {thief.port} was taken meanwhile: the API gets another" in thief.said
        assert ready.url == home.config().url != f"http://127.0.0.1:{thief.port}"
        assert ready.administrators is not None
        assert ready.administrators.vos == ("belle", "instance")
        assert who(home.folder) == ("belle", "admin")
    finally:
        thief.end()
        control.stop(home.folder)


def test_a_port_that_was_asked_for_is_not_changed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home(folder / "grid")
    thief = Thief(home)
    monkeypatch.setattr(control, "start", fail_to_start)
    try:
        with pytest.raises((control.NotReady, PortTaken), match=r"api does not get ready|in use by another program"):
            grid.up(home, Wishes(vos=("belle",), port=free_port()), thief.say)
        assert home.config().port == thief.port
    finally:
        thief.end()
        control.stop(home.folder)
