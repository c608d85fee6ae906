"""A VO comes in from the command line, and is checked with a file that goes to a real storage and back."""

from typing import Any

import pytest
from typer.testing import CliRunner

from sancho.cli import main
from sancho_client.cli import user
from sancho_client.cli.verbs import Session
from sancho_client.logins import LoginFailed
from sancho_client.models.identity import Tokens
from tests.client.conftest import Grid

ROOT: dict[str, Any] = {"account": "root", "vo": "instance"}


def test_a_vo_comes_in_and_its_smoke_test_writes_and_reads_a_file(grid: Grid, unique: str) -> None:
    made = grid.sancho(
        "vo", "create", f"vo-{unique}", "--admin", "ada", "--email", "ada@example.org",
        "--group", "production=jobs:create",
        "--quota", "1 GB@*", "--scope", "mc", "--share", "2", "--grant", "rse=A-DISK", "--grant", "ce=A-CE",
        "--wait", "0", **ROOT,
    )  # fmt: skip

    assert made.exit_code == 0, made.output
    assert f"+ VO vo-{unique}" in made.stdout
    assert "Administrator: ada, password " in made.stdout
    assert "a file was written to A-DISK, read back and given up" in made.stdout
    again = grid.json("vo", "check", f"vo-{unique}", "--wait", "0", vo=f"vo-{unique}", account="ada")
    assert [one["outcome"] for one in again] == ["advised", "ok", "ok", "ok", "ok", "ok", "ok", "advised"]


def test_a_smoke_job_that_no_pilot_runs_says_why_and_leaves_nothing_waiting(grid: Grid, unique: str) -> None:
    made = grid.json("vo", "create", f"vo-{unique}", "--grant", "ce=A-CE", "--wait", "0", code=3, **ROOT)
    job = made["checks"][-1]
    assert (job["what"], job["outcome"]) == ("smoke job", "advised")
    assert "was waiting after 0 s: no pilot at A-CE has had a free slot for it yet" in job["found"]
    (left,) = grid.json("job", "list", vo=f"vo-{unique}", account="admin")
    assert (left["name"], left["state"]) == ("smoke", "killed")


def test_as_json_a_script_gets_the_login_and_the_checks_and_an_exit_code(grid: Grid, unique: str) -> None:
    said = grid.json("vo", "create", f"bare-{unique}", code=3, **ROOT)

    assert set(said["administrator"]) == {"account", "password"}
    missing = {one["what"] for one in said["checks"] if one["outcome"] == "missing"}
    assert missing == {"rse", "ce", "smoke test", "smoke job"}
    assert "your VO has no compute element" in said["checks"][-1]["found"]
    found = grid.json("vo", "check", f"bare-{unique}", code=3, **ROOT)
    assert found[-1]["outcome"] == "advised"


def test_what_makes_no_sense_is_refused_before_anything_is_sent(grid: Grid, unique: str) -> None:
    for words, said in ((["--grant", "A-DISK"], "is not site=NAME"), (["--client-id", "x"], "Say --issuer")):
        ended = grid.sancho("vo", "create", f"odd-{unique}", *words, **ROOT)
        assert (ended.exit_code, said in ended.stderr) == (1, True), ended.stderr
    assert f"odd-{unique}" not in grid.sancho("vo", "list", **ROOT).stdout


def test_a_person_at_a_terminal_is_asked_for_what_matters(
    grid: Grid, unique: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Session, "asks", True)  # the runner is no terminal
    answers = ["", "https://iam.example.org/", "sancho", "iam-secret", "A-DISK", "A-CE", "1 GB", "mc"]
    runner = CliRunner(env={"SANCHO_URL": grid.url, "SANCHO_TOKEN": grid.token("root", "instance")})

    ended = runner.invoke(
        main.command_line(), ["vo", "create", f"asked-{unique}", "--wait", "1"], input="\n".join(answers) + "\n"
    )

    assert "+ IdentityProvider login" in ended.stdout, ended.output
    assert "client_secret: iam-secret" in ended.stdout
    assert "+ Quota total" in ended.stdout
    assert ended.exit_code == 3  # nobody answers at that issuer


def test_a_vo_without_passwords_shows_none_and_a_login_is_led_to_the_pages(
    grid: Grid, unique: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"sworn-{unique}"
    made = grid.sancho("vo", "create", name, "--no-passwords", **ROOT)

    assert "Administrator: admin, without a password" in made.stdout, made.output
    led: list[str] = []

    def by_device(_client: Any, vo: str, *_: Any) -> Tokens:
        led.append(vo)
        raise LoginFailed("enough seen")

    monkeypatch.setattr(user, "on_device", by_device)
    grid.sancho("login", "--vo", name)
    assert led == [name]
    refused = grid.sancho("login", "--vo", name, "-a", "admin", "--password-stdin", stdin="red lorry\n")
    assert f"Accounts of VO {name} have no passwords" in refused.stderr
