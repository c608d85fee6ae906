"""Rucio's client in Python sets and reads what a VO tells its clients."""

import pytest

from sancho.compat.rucio.config_translate import typed
from tests.compat.rucio_client import Online, PythonClient, refused

pytestmark = pytest.mark.xdist_group("rucio_config")  # one server for all


async def test_options_are_set_read_and_deleted(
    rucio: Online, alice: PythonClient, root: PythonClient, gridpp: PythonClient
) -> None:
    assert await alice.call("get_config") == {}
    assert await root.call("set_config_option", "upload", "threads", 4) is True
    assert await root.call("set_config_option", "upload", "verify", "True") is True
    assert await root.call("set_config_option", "mail", "contact", "grid@belle.example") is True
    assert await root.call("set_config_option", "upload", "factor", "0.5", False) is True
    upload = {"threads": 4, "verify": True, "factor": 0.5}
    assert await alice.call("get_config") == {"mail": {"contact": "grid@belle.example"}, "upload": upload}
    assert await alice.call("get_config", "upload") == upload
    assert await alice.call("get_config", "upload", "threads") == 4
    native = (await rucio.send("GET", "/client-settings")).json()
    assert native[1] == {"name": "upload", "options": upload}

    assert await gridpp.call("get_config") == {}
    assert "upload" in await refused(gridpp, "ConfigNotFound", "get_config", "upload")
    assert "speed" in await refused(alice, "ConfigNotFound", "get_config", "upload", "speed")

    assert await root.call("delete_config_option", "upload", "threads") is True
    await refused(root, "ConfigNotFound", "delete_config_option", "upload", "threads")
    assert await root.call("delete_config_option", "mail", "contact") is True
    assert list(await alice.call("get_config")) == ["upload"]
    assert await root.call("delete_config_section", "upload") is True
    await refused(root, "ConfigNotFound", "delete_config_section", "upload")


async def test_what_cannot_be_an_option_is_refused_and_nothing_is_set(
    rucio: Online, alice: PythonClient, root: PythonClient
) -> None:
    await refused(alice, "AccessDenied", "set_config_option", "upload", "threads", 4)
    await refused(alice, "AccessDenied", "delete_config_section", "upload")
    for section, option, value in (
        ("a b", "x", 1), ("upload", "x/y", 1), ("upload", "", 1), ("upload", "x", None), ("upload", "x", [1]),
        ("upload", "x", "y" * 3000), ("upload", "x", 2**70), ("upload", "password", "it is 1 secret!"),
    ):  # fmt: skip
        await refused(root, "InputValidationError", "set_config_option", section, option, value)
    assert await root.call("get_config") == {}


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("4", 4), ("-1", -1), ("0.5", 0.5), ("yes", True), ("OFF", False), ("on air", "on air"), ("nan", "nan"),
        ("1e999", "1e999"), ("9" * 30, "9" * 30), ("9" * 5000, "9" * 5000), (True, True), (7, 7), ("", ""),
    ],
)  # fmt: skip
def test_a_text_that_spells_a_number_or_a_boolean_is_one(said: bool | int | str, meant: object) -> None:
    assert (typed(said), type(typed(said))) == (meant, type(meant))
