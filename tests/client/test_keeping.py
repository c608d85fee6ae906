"""`sancho data exception ask|list|show|approve|reject`, on a served grid."""

from tests.client.conftest import Grid

UNTIL = "2100-01-01"


def asked(grid: Grid, did: str) -> str:
    grid.json("data", "create", did, "--lifetime", "1 d")
    words = ("data", "exception", "ask", did, "--until", UNTIL, "--reason", "for the thesis")
    made = grid.json(*words, account="bob")
    assert (made["account"], made["state"], made["dids"][0]["did"]) == ("bob", "waiting", did)
    return str(made["exception_id"])


def test_data_is_kept_longer_when_somebody_asks_and_somebody_approves(grid: Grid, unique: str) -> None:
    did = f"mc:{unique}"
    number = asked(grid, did)

    waiting = grid.json("data", "exception", "list", "--did", did, "--state", "waiting", "--account", "bob")
    assert [(str(one["exception_id"]), one["number"]) for one in waiting] == [(number, 1)]
    told = grid.sancho("data", "exception", "approve", number, "--answer", "go on", account="root").stdout
    assert [word in told for word in ("approved", "go on", did, "2100-01-01")] == [True] * 4
    (kept,) = grid.json("data", "exception", "show", number)["dids"]
    assert kept["ends_at"].startswith(UNTIL)


def test_what_is_rejected_ends_as_it_would(grid: Grid, unique: str) -> None:
    number = asked(grid, f"mc:{unique}")

    refused = grid.sancho("data", "exception", "reject", number)
    done = grid.json("data", "exception", "reject", number, "--answer", "no room", account="root")

    assert (refused.exit_code, done["state"], done["answer"]) == (4, "rejected", "no room")
    assert not done["dids"][0]["ends_at"].startswith(UNTIL)
    assert grid.json("data", "exception", "show", number) == done
    again = grid.sancho("data", "exception", "approve", number, account="root")
    assert (again.exit_code, "rejected already" in again.output) == (1, True)


def test_a_time_that_cannot_be_read_or_is_over_is_said(grid: Grid, unique: str) -> None:
    ask = ("data", "exception", "ask", f"mc:{unique}", "--reason", "r", "--until")
    nonsense, over = grid.sancho(*ask, "soon"), grid.sancho(*ask, "2020-01-01")
    assert (nonsense.exit_code, over.exit_code) == (2, 1)
    assert ("'soon' is not a time" in nonsense.output, "that is over" in over.output) == (True, True)
