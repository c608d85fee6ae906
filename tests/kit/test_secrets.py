"""Secrets of VOs: where they are found, who gets which, and what is refused."""

import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from sancho.kit.extensions import Extensions
from sancho.kit.secrets import LARGEST, Secrets, SecretUnavailable, variable
from sancho.settings import Settings

NAMES = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,6}", fullmatch=True)


def put(folder: Path, vo: str, name: str, content: bytes | str, mode: int = 0o400) -> Path:
    path = folder / vo / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(mode)
    return path


def command(script: str) -> Sequence[str]:
    """A command that runs this text of Python; the VO and the name are its arguments."""
    return (sys.executable, "-I", "-S", "-c", f"import sys, os; vo, name = sys.argv[1:]; {script}")


async def test_a_secret_is_read_from_the_environment_then_a_file_then_a_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SANCHO_SECRET_BELLE__IAM", "from the environment")
    put(tmp_path, "belle", "iam", "a file nobody looks at")
    put(tmp_path, "belle", "checkin", "from a file\n")
    settings = Settings().secrets
    secrets = Secrets(settings.given, tmp_path, command("print('from', 'a', 'command', vo, name)"))
    assert await secrets.read("belle", "iam") == "from the environment"
    assert await secrets.read("belle", "checkin") == "from a file"
    assert await secrets.read("belle", "other") == "from a command belle other"


async def test_settings_say_where_secrets_are(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SANCHO_SECRETS__FOLDER", str(tmp_path))
    monkeypatch.setenv("SANCHO_SECRETS__COMMAND", '["vault-read", "--quiet"]')
    monkeypatch.setenv("SANCHO_SECRET_BELLE__IAM", "hush")
    settings = Settings()
    assert settings.secrets.folder == tmp_path
    assert settings.secrets.command == ("vault-read", "--quiet")
    assert "hush" not in f"{settings!r} {settings.secrets.given} {settings.model_dump_json()}"


async def test_there_is_no_secret_that_nobody_put_in_place(tmp_path: Path) -> None:
    for secrets in (Secrets(), Secrets(folder=tmp_path), Secrets(folder=tmp_path / "absent")):
        with pytest.raises(SecretUnavailable, match="there is none"):
            await secrets.read("belle", "iam")


async def test_a_vo_has_its_own_secrets_and_cannot_name_anothers(tmp_path: Path) -> None:
    put(tmp_path, "belle", "iam", "of belle")
    put(tmp_path, "lhcb", "iam", "of lhcb")
    given = {"SANCHO_SECRET_LHCB__WEB": SecretStr("of lhcb")}
    belle = Secrets(given, tmp_path, command("print(vo)")).of("belle")
    assert await belle("iam") == "of belle"
    for name in ("../lhcb/iam", "lhcb/iam", "/etc/passwd", "..", ".", "", "iam\n", "IAM", "-x", "i\0am", "x" * 64):
        with pytest.raises(SecretUnavailable, match="not the name"):
            await belle(name)
    assert await belle("web") == "belle"


@given(NAMES, NAMES, NAMES, NAMES)
def test_no_two_secrets_have_one_variable(vo: str, name: str, other_vo: str, other_name: str) -> None:
    assert (variable(vo, name) == variable(other_vo, other_name)) == ((vo, name) == (other_vo, other_name))


def test_a_variable_can_be_exported_from_a_shell() -> None:
    assert variable("vo.cta-1_x", "iam") == "SANCHO_SECRET_VO_2ECTA_2D1_5FX__IAM"


@pytest.mark.parametrize("mode", [0o440, 0o404, 0o604, 0o660])
async def test_a_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    put(tmp_path, "belle", "iam", "seen by many", mode)
    with pytest.raises(SecretUnavailable, match="others than its owner") as refused:
        await Secrets(folder=tmp_path, command=command("print(vo)")).read("belle", "iam")
    assert "seen by many" not in str(refused.value)


async def test_what_is_no_file_or_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "belle" / "folder").mkdir(parents=True)
    put(tmp_path, "belle", "empty", "\n")
    put(tmp_path, "belle", "binary", b"\xff\xfe")
    put(tmp_path, "belle", "long", "x" * (LARGEST + 1))
    put(tmp_path, "file", "iam", "x")
    for name, reason in {"folder": "no file", "empty": "empty", "binary": "UTF-8", "long": "too long"}.items():
        with pytest.raises(SecretUnavailable, match=reason):
            await Secrets(folder=tmp_path).read("belle", name)
    with pytest.raises(SecretUnavailable, match="cannot be opened"):
        await Secrets(folder=tmp_path / "file" / "iam").read("belle", "iam")


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("print('hush'); sys.exit(3)", "ended with 3"),
        ("print('hush', file=sys.stderr)", "empty"),
        ("[print('hush' * 1000) for _ in range(100)]", "said too much"),
        ("print('hush', flush=True); import threading; threading.Event().wait()", "in time"),
    ],
)
async def test_a_command_that_fails_is_a_secret_that_cannot_be_read(script: str, reason: str) -> None:
    secrets = Secrets(command=command(script), timeout=timedelta(seconds=0.5 if reason == "in time" else 20))
    with pytest.raises(SecretUnavailable, match=reason) as failed:
        await secrets.read("belle", "iam")
    assert "hush" not in str(failed.value)


async def test_a_command_that_is_not_there_is_a_secret_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(SecretUnavailable, match="cannot be run"):
        await Secrets(command=[str(tmp_path / "absent")]).read("belle", "iam")


async def test_no_shell_reads_the_names(tmp_path: Path) -> None:
    secrets = Secrets(command=("sh", "-c", 'printf "%s" "$0 $1"'))
    assert await secrets.read("vo.cta", "iam-1") == "vo.cta iam-1"


async def test_a_secret_that_a_command_said_is_asked_for_again_after_a_minute(tmp_path: Path) -> None:
    now = 0.0
    count = f"path = {str(tmp_path / 'count')!r}; open(path, 'a').write('x'); print(os.path.getsize(path))"
    secrets = Secrets(command=command(count), clock=lambda: now)
    assert [await secrets.read("belle", "iam") for _ in range(3)] == ["1", "1", "1"]
    now = 61.0
    assert await secrets.read("belle", "iam") == "2"


def test_vos_with_the_same_settings_have_providers_of_their_own() -> None:
    extensions, secrets = Extensions(), Secrets()
    settings = {"issuer": "https://iam.example.org/", "client_id": "sancho"}

    def of(vo: str) -> object:
        return extensions.get("sancho.identity", "oidc", settings, secret=secrets.of(vo))

    assert of("belle") is of("belle")
    assert of("belle") is not of("lhcb")
