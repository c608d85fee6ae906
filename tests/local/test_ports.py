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


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give up on a program when it has ended once: each start of the API takes seconds."""
    monkeypatch.setattr(control, "GIVEN_UP_AFTER", 1)


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


def test_a_new_grid_whose_port_is_taken_before_it_listens_there_gets_another(folder: Path) -> None:
    home = Home(folder / "grid")
    thief = Thief(home)
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

    def start(_: Path) -> None:
        raise control.NotReady(name="api", why="somebody listens on its port", log=home.folder / "logs" / "api.log")

    monkeypatch.setattr(control, "start", start)
    try:
        with pytest.raises((control.NotReady, PortTaken), match=r"api does not get ready|in use by another program"):
            grid.up(home, Wishes(vos=("belle",), port=free_port()), thief.say)
        assert home.config().port == thief.port
    finally:
        thief.end()
        control.stop(home.folder)
