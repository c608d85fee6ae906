"""Rucio's client in Python asks about accounts."""

import pytest

from tests.compat.rucio_client import PythonClient, Raised

pytestmark = pytest.mark.xdist_group("rucio_accounts")  # one server for all


async def test_the_account_of_the_caller_is_told_and_one_that_does_not_exist_is_not(alice: PythonClient) -> None:
    assert (await alice.call("whoami"))["account"] == "alice"
    with pytest.raises(Raised) as e:
        await alice.call("get_account", "nobody")
    assert e.value.kind == "AccountNotFound"
