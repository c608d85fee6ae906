"""What a VO adds to the page: which folders are extensions, who is shown them, and how their files come."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sancho.web import api
from sancho.web.service import Shelf, shelf
from tests.served import Served

DECLARED = {"title": "Plots", "places": ["page"], "asks": ["/v1/jobs/{job_id}"]}
READABLE = ("/v1/jobs/{job_id}", "/v1/whoami")


def give(folder: Path, **said: Any) -> Path:
    """An extension in a folder, complete."""
    folder.mkdir(parents=True)
    (folder / "extension.json").write_text(json.dumps({**DECLARED, **said}))
    (folder / "index.html").write_text("<!doctype html><script src=js/main.js></script>")
    (folder / "js").mkdir()
    (folder / "js" / "main.js").write_text("1")
    return folder


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "REST", 0)


def test_a_folder_with_a_manifest_is_an_extension_of_its_vo_alone(tmp_path: Path) -> None:
    give(tmp_path / "belle" / "plots")
    known = Shelf(tmp_path, READABLE)
    (one,) = known.of("belle").extensions
    assert (one.name, one.title, sorted(one.files)) == ("plots", "Plots", ["index.html", "js/main.js"])
    assert known.find(one.digest) is one
    assert known.of("gridpp").extensions == ()
    assert Shelf(tmp_path, READABLE).find(one.digest) == one  # a process that nobody has asked for the list
    assert known.find("0" * 64) is None
    assert Shelf(None, READABLE).of("belle").extensions == ()


def test_what_is_changed_has_another_address_and_what_is_gone_has_none(tmp_path: Path) -> None:
    folder = give(tmp_path / "belle" / "plots")
    known = Shelf(tmp_path, READABLE)
    (before,) = known.of("belle").extensions
    (folder / "js" / "main.js").write_text("22")
    (after,) = known.of("belle").extensions
    assert before.digest != after.digest
    assert known.find(before.digest) is None
    (folder / "extension.json").unlink()
    assert known.of("belle").extensions == ()
    assert known.find(after.digest) is None


def _link(folder: Path) -> None:
    (folder / "passwd.txt").symlink_to("/etc/passwd")


def _pipe(folder: Path) -> None:
    os.mkfifo(folder / "pipe.js")


SPOILED: dict[str, Callable[[Path], Any]] = {
    "links are not followed": _link,
    "is no file": _pipe,
    "it has no extension.json": lambda folder: (folder / "extension.json").unlink(),
    "there is no file index.html": lambda folder: (folder / "index.html").unlink(),
    "files end in": lambda folder: (folder / "run.php").write_text(""),
    "plain names": lambda folder: (folder / ".htaccess.js").write_text(""),
    "2000000 bytes": lambda folder: (folder / "big.js").write_bytes(bytes(2_000_000)),
    "Invalid JSON": lambda folder: (folder / "extension.json").write_bytes(b"\xff["),
}


@pytest.mark.parametrize("reason", SPOILED)
def test_what_is_not_fit_is_not_shown_and_says_why(tmp_path: Path, reason: str) -> None:
    give(tmp_path / "belle" / "good")
    SPOILED[reason](give(tmp_path / "belle" / "spoiled"))
    shown = Shelf(tmp_path, READABLE).of("belle")
    assert [one.name for one in shown.extensions] == ["good"]
    assert [one.name for one in shown.unfit] == ["spoiled"]
    assert reason in shown.unfit[0].reason
    assert str(tmp_path) not in shown.unfit[0].reason


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"asks": ["/v1/auth/token"]}, "no path that can be read"),
        ({"asks": ["https://evil.example/"]}, "asks.0"),
        ({"places": []}, "places"),
        ({"entry": "../../index.html"}, "entry"),
        ({"entry": "js/main.js"}, "HTML"),
        ({"host": 2}, "host"),
        ({"more": 1}, "more"),
        ({"title": "x" * 41}, "title"),
        ({"height": 1e9}, "height"),
    ],
)
def test_a_manifest_is_checked(tmp_path: Path, said: dict[str, Any], reason: str) -> None:
    give(tmp_path / "belle" / "plots", **said)
    shown = Shelf(tmp_path, READABLE).of("belle")
    assert shown.extensions == ()
    assert reason in shown.unfit[0].reason


async def test_who_is_shown_what_and_how_its_files_come(served: Served, tmp_path: Path) -> None:
    give(tmp_path / "page" / "belle" / "plots")
    give(tmp_path / "page" / "belle" / "odd", asks=["/v1/events"])
    deployment = replace(served.deployment, page_extensions=tmp_path / "page")
    served.app.state.deployment = deployment
    api.install(served.app, deployment)
    belle = (await served.send("GET", "/page/extensions")).json()
    (plots,) = belle["items"]
    assert (plots["name"], plots["asks"], belle["unfit"]) == ("plots", ["/v1/jobs/{job_id}"], None)
    told = (await served.send("GET", "/page/extensions", account="root")).json()
    assert [one["name"] for one in told["unfit"]] == ["odd"]
    other = (await served.send("GET", "/page/extensions", vo="gridpp")).json()
    assert other["items"] == []

    answer = await served.client.get(plots["path"])
    policy = answer.headers["content-security-policy"].split("; ")
    own = plots["path"].removesuffix("index.html")
    assert policy[:2] == ["sandbox allow-scripts", "default-src 'none'"]
    assert f"script-src http://testserver{own} http://testserver/ui/extensions/host-1.js" in policy
    assert (await served.client.get(f"{own}js/main.js")).headers["content-type"].startswith("text/javascript")
    for path in ("extension.json", "%2e%2e/%2e%2e/etc/passwd", "nothing.js", ""):
        assert (await served.client.get(own + path)).status_code == 404, path
    assert (await served.client.get("/ui/extensions/host-1.js")).text.count("export") == 2
    page = await served.client.get("/ui/")
    if page.status_code == 200:
        assert "frame-src http://testserver/ui/extensions/" in page.headers["content-security-policy"].split("; ")


async def test_a_request_that_names_its_route_is_answered_by_no_other(served: Served) -> None:
    asked = {"x-sancho-route": "/v1/jobs/{job_id}"}
    refused = await served.send("GET", "/jobs/summary", headers=asked)
    assert (refused.status_code, refused.json()["code"]) == (400, "another_route")
    assert (await served.send("GET", "/jobs/1", headers=asked)).json()["code"] == "job_not_found"
    assert (await served.send("GET", "/jobs/1%2Flog", headers=asked)).json()["code"] != "job_not_found"
