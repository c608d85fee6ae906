"""Rucio's client asks that DIDs be kept longer, sees what was asked, and who may decides."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from sancho.compat.rucio import keeping_translate as translate
from sancho.compat.rucio.translate import date_of, id_of
from sancho.dids.model import LifetimeExceptionState
from tests.compat.rucio_client import Online, PythonClient
from tests.compat.rucio_given import named, refused, registered
from tests.identity.helpers import PASSWORD

pytestmark = pytest.mark.xdist_group("rucio_keeping")  # one server for all

UNTIL = (datetime.now(UTC) + timedelta(days=90)).replace(microsecond=0)
SAID = date_of(UNTIL)
"""A time as the client sends it."""


async def asked(client: PythonClient, *names: str, **more: Any) -> dict[str, Any]:
    said = {"account": "alice", "pattern": "", "comments": "for the thesis", "expires_at": SAID, **more}
    return await client.call("add_exception", named(*names), **said)


async def one_of(client: PythonClient, *names: str) -> str:
    """The id of an exception about datasets that end in a day, made for it."""
    for name in names:
        await client.call("add_dataset", "mc", name, lifetime=86400)
    (exception_id,) = (await asked(client, *names))["exceptions"]
    return exception_id


async def send(rucio: Online, method: str, path: str, *, account: str = "alice", vo: str = "belle", **more: Any) -> Any:
    """A request that the client has no method for."""
    headers = {"x-rucio-auth-token": rucio.token(f"{vo}:{account}")}
    async with httpx2.AsyncClient(base_url=rucio.url, headers=headers) as client:
        return await client.request(method, f"/rucio/lifetime_exceptions{path}", **more)


async def end_of(client: PythonClient, name: str) -> datetime:
    at = datetime.fromisoformat((await client.call("get_did", "mc", name))["expired_at"])
    return at.replace(tzinfo=UTC)


async def test_what_would_end_is_asked_for_in_one_exception_and_the_rest_is_said(
    rucio: Online, alice: PythonClient
) -> None:
    await registered(rucio, "ask/file")
    await alice.call("add_dataset", "mc", "ask/soon", lifetime=86400)
    await alice.call("add_dataset", "mc", "ask/forever")
    await alice.call("add_dataset", "mc", "ask/late", lifetime=365 * 86400)

    said = await asked(alice, "ask/soon", "ask/forever", "ask/late", "ask/no", "ask/file", "ask/soon")

    ((exception_id, affected),) = said["exceptions"].items()
    assert (len(exception_id), affected) == (32, [named("ask/soon")[0] | {"did_type": "DATASET"}])
    assert [one["name"] for one in said["not_affected"]] == ["ask/forever", "ask/late", "ask/file"]
    assert said["unknown"] == named("ask/no")
    (row,) = await alice.call("list_exceptions", exception_id)
    assert {**row, "created_at": None} == {
        "id": exception_id, "scope": "mc", "name": "ask/soon", "did_type": "DATASET", "account": "alice",
        "pattern": None, "comments": "for the thesis", "state": "WAITING", "created_at": None,
        "expires_at": str(UNTIL.replace(tzinfo=None)),
    }  # fmt: skip
    assert (await asked(alice, "ask/forever", "ask/no"))["exceptions"] == {}


async def test_who_manages_data_approves_or_rejects_once(rucio: Online, alice: PythonClient) -> None:
    kept, rejected = await one_of(alice, "put/a", "put/b"), await one_of(alice, "put/c")

    denied = await send(rucio, "PUT", f"/{kept}", json={"state": "APPROVED"})
    assert (denied.status_code, denied.headers["ExceptionClass"]) == (401, "AccessDenied")
    for exception_id, state in ((kept, "APPROVED"), (rejected, "R")):
        done = await send(rucio, "PUT", f"/{exception_id}", account="root", json={"state": state})
        assert (done.status_code, done.text) == (201, "Created")
        again = await send(rucio, "PUT", f"/{exception_id}", account="root", json={"state": state})
        assert (again.status_code, again.headers["ExceptionClass"]) == (409, "UnsupportedOperation")

    assert [await end_of(alice, name) for name in ("put/a", "put/b")] == [UNTIL, UNTIL]
    assert await end_of(alice, "put/c") < UNTIL
    assert (await alice.call("get_metadata", "mc", "put/a"))["eol_at"] == str(UNTIL.replace(tzinfo=None))
    states = {row["name"]: row["state"] for row in await alice.call("list_exceptions") if row["name"].startswith("put")}
    assert states == {"put/a": "APPROVED", "put/b": "APPROVED", "put/c": "REJECTED"}
    shown = await send(rucio, "GET", f"/{kept}")
    assert shown.headers["content-type"] == "application/x-json-stream"
    assert [line.count("APPROVED") for line in shown.text.splitlines()] == [1, 1]
    found = await send(rucio, "GET", "/?states=REJECTED,W")
    assert "APPROVED" not in found.text
    assert "put/c" in found.text


async def test_the_client_lists_all_states_whatever_it_is_asked_for(alice: PythonClient) -> None:
    exception_id = await one_of(alice, "list/a")
    ids = {row["id"] for row in await alice.call("list_exceptions", states=["R"])}
    assert exception_id in ids
    assert [row["id"] for row in await alice.call("list_exceptions", exception_id, ["R"])] == [exception_id]


async def test_what_cannot_be_asked_is_refused(alice: PythonClient, root: PythonClient) -> None:
    await alice.call("add_dataset", "mc", "bad/a", lifetime=86400)
    for more, kind in (
        ({"account": "bob"}, "AccessDenied"),
        ({"pattern": "bad/*"}, "UnsupportedOperation"),
        ({"comments": ""}, "InputValidationError"),
        ({"expires_at": "whenever"}, "InputValidationError"),
        ({"expires_at": "2020-01-01T00:00:00"}, "InputValidationError"),
    ):
        said = {"account": "alice", "pattern": None, "comments": "c", "expires_at": SAID, **more}
        assert (await refused(alice, "add_exception", named("bad/a"), **said))[0] == kind, more
    many = named(*(f"bad/{n}" for n in range(1001)))
    assert (await refused(alice, "add_exception", many, "alice", "", "c", SAID))[0] == "InvalidObject"
    assert (await refused(alice, "add_exception", named("b a d"), "alice", "", "c", SAID))[0] == "InvalidObject"
    assert "bad/a" not in {row["name"] for row in await alice.call("list_exceptions")}
    for exception_id in ("f" * 32, id_of(10**9), id_of(0), "x"):
        assert (await refused(root, "list_exceptions", exception_id))[0] == "LifetimeExceptionNotFound"


async def test_another_vo_sees_and_decides_nothing(rucio: Online, alice: PythonClient, gridpp: PythonClient) -> None:
    exception_id = await one_of(alice, "walls/a")

    assert await gridpp.call("list_exceptions") == []
    assert (await refused(gridpp, "list_exceptions", exception_id))[0] == "LifetimeExceptionNotFound"
    assert (await asked(gridpp, "walls/a"))["unknown"] == named("walls/a")
    for method, body in (("GET", None), ("PUT", {"state": "APPROVED"})):
        answer = await send(rucio, method, f"/{exception_id}", account="root", vo="gridpp", json=body)
        assert (answer.status_code, answer.headers["ExceptionClass"]) == (404, "LifetimeExceptionNotFound")
    own = await one_of(gridpp, "walls/a")
    assert [(row["id"], row["name"]) for row in await gridpp.call("list_exceptions")] == [(own, "walls/a")]
    assert own not in {row["id"] for row in await alice.call("list_exceptions")}


def show_verb(mine: Mapping[str, str]) -> None:
    """Have `rucio` offer a verb that it hides."""
    settings = Path(mine["RUCIO_HOME"], "etc", "rucio.cfg")
    settings.write_text(f"{settings.read_text()}[cli]\nendpoints_add = lifetime-exception\n")


async def test_the_command_asks_for_datasets_in_a_file(rucio: Online, alice: PythonClient) -> None:
    for name in ("cli/a", "cli/b"):
        await alice.call("add_dataset", "mc", name, lifetime=86400)
    await alice.call("add_dataset", "mc", "cli/forever")
    wanted = rucio.folder / "datasets.txt"
    wanted.write_text("mc:cli/a\nmc:cli/b\nmc:cli/forever\n")
    mine = rucio.configure(auth_type="userpass", username="alice", password=PASSWORD)
    show_verb(mine)

    code, said = await rucio.run(
        "lifetime-exception", "add", "-f", str(wanted), "--reason", "for the thesis", "-x", f"{UNTIL:%Y-%m-%d}",
        environment=mine,
    )  # fmt: skip

    assert (code, "Summary" in said) == (0, True), said
    rows = [row for row in await alice.call("list_exceptions") if row["name"].startswith("cli/")]
    assert sorted(row["name"] for row in rows) == ["cli/a", "cli/b"]
    assert {row["expires_at"] for row in rows} == {f"{UNTIL:%Y-%m-%d} 00:00:00"}


def test_states_are_read_by_name_and_letter_and_nonsense_means_all() -> None:
    waiting, approved, rejected = LifetimeExceptionState
    assert translate.states_of("A,WAITING") == (approved, waiting)
    assert translate.states_of("REJECTED") == (rejected,)
    assert [translate.states_of(text) for text in (None, "", "None", "A,x", id_of(7))] == [()] * 5
