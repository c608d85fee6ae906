"""New passwords that are tried first, made of words that are near, or stolen elsewhere are refused."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sancho.identity import service
from sancho.identity.errors import PasswordBreached, PasswordFrequent, PasswordObvious
from sancho.identity.model import SHORTEST_PASSWORD
from sancho.identity.service.fitness import FREQUENT, Fitness, check, without
from sancho.kit.breached import BreachedListUnfit, BreachedPasswords
from sancho.kit.issuer import ensure_key
from sancho.parts import KINDS, make_deployment
from tests.identity.helpers import PASSWORD, Installation, acting
from tests.served import Served, settings_for
from tests.world import World

NEAR = Fitness(names=("grid.example.org", "belle", "bel", "alice"))


def breached(folder: Path, *passwords: str) -> BreachedPasswords:
    lines = sorted(f"{hashlib.sha1(p.encode(), usedforsecurity=False).hexdigest().upper()}:1" for p in passwords)
    (folder / "breached.txt").write_text("\n".join(lines))
    return BreachedPasswords(folder / "breached.txt")


def test_more_than_the_three_thousand_most_frequent_passwords_that_are_long_enough_are_known() -> None:
    assert len(FREQUENT) > 10 * 3_000
    assert all(len(word) >= SHORTEST_PASSWORD for word in FREQUENT)
    for word in sorted(FREQUENT):
        with pytest.raises(PasswordFrequent):
            check(word, Fitness())


@pytest.mark.parametrize(
    "password",
    ["password1", "12345678", "Sunshine", "ILOVEYOU", "88888888", "0987654321", "qwertyuiop", "p@ssw0rd", "dr4g0n11",
     "abcabcabc", "jennifer", "a" * 24, "20261127"],
)  # fmt: skip
def test_what_is_tried_first_is_refused(password: str) -> None:
    with pytest.raises(PasswordFrequent):
        check(password, NEAR)


@pytest.mark.parametrize(
    "password",
    ["sancho-belle-2026", "B3ll3.S@nch0!!", "alice!alice?alice", "grid2026example", "my own password", "BelleBelle#x7",
     "belle sunshine1", "alice 12345678"],
)  # fmt: skip
def test_what_is_made_of_words_that_are_near_is_refused(password: str) -> None:
    with pytest.raises(PasswordObvious) as e:
        check(password, NEAR)

    assert "alice, bel, belle, example, grid, org, password, sancho" in str(e.value)
    assert str(SHORTEST_PASSWORD) in (e.value.hint or "")


@pytest.mark.parametrize(
    "password", [PASSWORD, "correct horse belle", "belle, ring the red bell", "kX8-fq2vT", "пароль горит", "x" * 1024]
)
def test_other_passwords_are_fit(password: str) -> None:
    check(password, NEAR)


SIGNS = str.maketrans("abeilost", "483!|057")


@given(st.text("xyz- ", max_size=9), st.text("xyz- ", max_size=9), st.sampled_from(NEAR.words), st.data())
def test_a_word_is_taken_out_however_it_is_written_and_nothing_else(
    before: str, after: str, word: str, data: st.DataObject
) -> None:
    written = "".join(data.draw(st.sampled_from([c, c.upper(), c.translate(SIGNS)])) for c in word)

    assert without(before + written + after, NEAR.words) == before + after


def test_short_parts_of_names_and_numbers_are_no_words() -> None:
    assert Fitness(names=("127.0.0.1", "a-b", "cern.ch", "")).words == ["cern", "password", "sancho"]
    assert without("correct horse", []) == "correct horse"


async def test_ones_own_and_anothers_password_are_held_against_what_is_near(
    installation: Installation, world: World
) -> None:
    await installation.with_password(1, "alice")
    alice = acting(1, "belle", world.account[1, "alice"], "alice", "jobs:create")
    admin = acting(1, "belle", world.account[1, "root"], "root", "*")

    for password, error in {
        "sunshine1": PasswordFrequent, "Alice-2026": PasswordObvious, "belle#2026": PasswordObvious,
        "sancho.test!": PasswordObvious,
    }.items():  # fmt: skip
        with pytest.raises(error):
            await service.change_password(installation.deployment, alice, "alice", password, current=PASSWORD)
        with pytest.raises(error):
            await service.change_password(installation.deployment, admin, "alice", password)
    assert await service.login(installation.deployment, "belle", "alice", PASSWORD)


async def test_a_stolen_password_is_refused_where_there_is_a_list(
    installation: Installation, world: World, tmp_path: Path
) -> None:
    admin = acting(1, "belle", world.account[1, "root"], "root", "*")
    deployment = replace(installation.deployment, breached=breached(tmp_path, "battery staple", "red lorry"))

    with pytest.raises(PasswordBreached):
        await service.change_password(deployment, admin, "alice", "battery staple")
    await service.change_password(deployment, admin, "alice", "correct horse")
    await service.change_password(installation.deployment, admin, "alice", "battery staple")


@pytest.mark.parametrize(
    ("password", "error"),
    [("sunshine1", PasswordFrequent), ("gridpp-admin", PasswordObvious), ("battery staple", PasswordBreached)],
)
async def test_an_installation_does_not_begin_with_a_bad_password(
    installation: Installation, tmp_path: Path, password: str, error: type[Exception]
) -> None:
    against = service.fitness_at("https://grid.example.org", breached(tmp_path, "battery staple"))
    with pytest.raises(error):
        async with installation.database.transaction([0, 1, 2]) as conn:
            await service.bootstrap(conn, ["gridpp"], password, KINDS, against)


async def test_where_nobody_is_made_a_password_is_not_looked_at(installation: Installation) -> None:
    async with installation.database.transaction([0, 1, 2]) as conn:
        await service.bootstrap(conn, ["belle"], "battery staple", KINDS)
        again = await service.bootstrap(conn, ["belle"], "sunshine1", KINDS)

    assert again.changes == []


@pytest.mark.parametrize(
    ("password", "code"), [("sunshine1", "password_frequent"), ("alice-belle-2026", "password_obvious")]
)
async def test_the_answer_says_which_rule_and_what_to_do(served: Served, password: str, code: str) -> None:
    body: dict[str, Any] = {"password": password}

    answer = await served.send("POST", "/accounts/alice/password", account="root", json=body)

    assert answer.status_code == 422
    said = answer.json()
    assert (said["code"], said["field"]) == (code, "password")
    assert said["hint"]
    assert password not in answer.text


def test_a_process_begins_with_the_list_that_its_settings_name_or_says_what_is_wrong(tmp_path: Path) -> None:
    breached(tmp_path, "battery staple")
    settings = settings_for("postgresql:///nothing", tmp_path).model_copy(
        update={"breached_passwords": tmp_path / "breached.txt"}
    )
    ensure_key(settings.keys)

    found = make_deployment(settings).breached
    assert found is not None
    assert found.has("battery staple")

    (tmp_path / "breached.txt").write_text("battery staple\n")
    with pytest.raises(BreachedListUnfit, match="HASH:COUNT"):
        make_deployment(settings)
