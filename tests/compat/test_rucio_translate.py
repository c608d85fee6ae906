"""Rucio's spellings and ours: whatever goes out comes back, and what nobody has written is not read."""

import ast
import string
import sys
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sancho.compat.rucio import translate
from sancho.compat.rucio.endpoints import ENDPOINTS
from sancho.identity.model import Account, AccountKind, AccountState
from sancho.vos.model import VO

URL_SAFE = string.ascii_letters + string.digits + "_-"
SECRETS = st.text(URL_SAFE, min_size=43, max_size=43)
NUMBERS = st.integers(0, 2**15 - 1)
TIMES = st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001
    lambda at: at.replace(microsecond=0)
)
VOS = [VO(0, "instance"), VO(1, "belle", "bel"), VO(2, "cern.ch.atlas", "atl")]


@given(TIMES, st.integers(-12, 12))
def test_a_time_comes_back(at: datetime, hours: int) -> None:
    said = translate.date_of(at.astimezone(timezone(timedelta(hours=hours))))
    assert translate.read_date(said) == at
    assert datetime.strptime(said, "%a, %d %b %Y %H:%M:%S UTC").replace(tzinfo=UTC) == at


@given(NUMBERS, SECRETS, st.text(string.ascii_uppercase, min_size=8, max_size=8))
def test_the_code_of_a_waiting_login_comes_back(vo: int, secret: str, user_code: str) -> None:
    device_code = f"sd-{vo}-{secret}"
    said = translate.waiting_code(device_code, user_code)
    assert said.endswith("_polling")
    assert translate.read_waiting_code(said) == (device_code, user_code)
    assert translate.read_fetch_code(said) is None


@given(NUMBERS, SECRETS, SECRETS)
def test_the_code_that_is_typed_comes_back(vo: int, secret: str, verifier: str) -> None:
    code = f"sc-{vo}-{secret}"
    said = translate.fetch_code(code, verifier)
    assert translate.read_fetch_code(said) == (code, verifier)
    assert translate.read_waiting_code(said) is None


@given(st.text())
def test_other_text_is_no_code(text: str) -> None:
    assert translate.read_waiting_code(text) is None
    assert translate.read_fetch_code(text) is None


@given(st.text())
def test_a_secret_arrives_as_it_was_written_in_utf_8(secret: str) -> None:
    assert (
        translate.secret_of(secret.encode(errors="ignore").decode("latin-1")) == secret.encode(errors="ignore").decode()
    )


@pytest.mark.parametrize("secret", ["café", "naïve", "Grüße"])
def test_a_secret_arrives_as_it_was_written_in_latin_1(secret: str) -> None:
    assert translate.secret_of(secret) == secret


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("belle", 1), ("bel", 1), ("cern.ch.atlas", 2), ("atl", 2), ("instance", 0), ("def", None), (None, None),
        ("", None), ("nowhere", None), ("Belle", None),
    ],
)  # fmt: skip
def test_a_vo_is_known_by_its_name_and_alias(said: str | None, meant: int | None) -> None:
    found = translate.vo_meant(said, VOS)
    assert (None if found is None else found.vo) == meant


@pytest.mark.parametrize("said", [None, "", "def", "belle"])
def test_who_names_no_vo_means_the_only_one(said: str | None) -> None:
    assert translate.vo_meant(said, VOS[:2]) == VOS[1]
    assert translate.vo_meant("nowhere", VOS[:2]) is None


def test_a_vo_whose_alias_is_def_is_what_clients_mean_by_it() -> None:
    named = VO(3, "ska", "def")
    assert translate.vo_meant("def", [*VOS, named]) == named


@given(TIMES, st.sampled_from(AccountKind), st.sampled_from(AccountState))
def test_kind_state_and_time_of_an_account_come_back(at: datetime, kind: AccountKind, state: AccountState) -> None:
    account = Account(
        account_id=1, vo=1, name="alice", kind=kind, state=state, email="a@b", created_at=at, groups=("users",)
    )
    said = translate.account_of(account, email=None)
    assert (AccountKind[said.account_type], AccountState[said.status], said.email) == (kind, state, None)
    assert datetime.fromisoformat(said.created_at).replace(tzinfo=UTC) == at


@given(TIMES)
def test_what_a_token_is_good_for_is_a_dictionary_of_python(at: datetime) -> None:
    said = translate.validated("alice", "belle", at, "sancho")
    call = ast.parse(said, mode="eval").body
    assert isinstance(call, ast.Dict)
    assert eval(said, {"datetime": sys.modules["datetime"]})["lifetime"].replace(tzinfo=UTC) == at


def test_all_that_rucio_serves_is_listed_once() -> None:
    pairs = [(e.method, e.path) for e in ENDPOINTS]
    assert (len(pairs), len(set(pairs)), len({e.resource for e in ENDPOINTS})) == (212, 212, 28)
    assert {e.state for e in ENDPOINTS} == {"served", "partial", "refused"}
