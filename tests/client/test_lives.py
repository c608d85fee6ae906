"""`sancho data create|attach|count|erase|restore|…`, on a served grid."""

from datetime import UTC, datetime, timedelta

from tests.client.conftest import Grid


def test_collections_are_made_filled_counted_and_walked(grid: Grid, unique: str) -> None:
    ds, box = f"mc:{unique}/ds", f"mc:{unique}/box"
    made = grid.json("data", "create", ds, "--monotonic", "--lifetime", "30 d")
    assert (made[0]["did"], made[0]["monotonic"], made[0]["ends_at"] is not None) == (ds, True, True)
    grid.json("data", "create", box, "--kind", "container", "--with", ds)
    assert grid.json("data", "attach", box, ds) == {"attached": 0}

    assert grid.json("data", "count", box) == [{"did": box, "files": 0, "total_size": 0}]
    assert [one["did"] for one in grid.json("data", "parents", ds)] == [box]
    assert [(one["did"], one["parent"], one["level"]) for one in grid.json("data", "below", box)] == [(ds, box, 1)]
    assert grid.json("data", "lifetime", ds, "forever")["ends_at"] is None
    assert grid.json("data", "close", ds)["open"] is False
    assert grid.json("data", "reopen", ds)["open"] is True


def test_what_is_erased_can_be_restored_for_a_while(grid: Grid, unique: str) -> None:
    ds = f"mc:{unique}"
    grid.json("data", "create", ds)

    assert grid.sancho("data", "erase", ds).exit_code == 2
    assert grid.json("data", "erase", ds, "--after", "1 d", "--yes")[0]["ends_at"] is not None
    assert "ends" in grid.sancho("data", "info", ds).stdout
    assert grid.json("data", "restore", ds)[0]["ends_at"] is None


def test_the_past_of_a_collection_is_listed(grid: Grid, unique: str) -> None:
    ds, box = f"mc:{unique}/ds", f"mc:{unique}/box"
    grid.json("data", "create", ds)
    grid.json("data", "create", box, "--kind", "container", "--with", ds)
    then = datetime.now(UTC).isoformat()
    assert grid.sancho("data", "rm", ds, "--from", box, "--yes").exit_code == 0

    assert [one["did"] for one in grid.json("data", "ls", box, "--as-of", then)] == [ds]
    assert grid.json("data", "ls", box) == []
    before = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    assert grid.json("data", "ls", box, "--as-of", before) == []
    [gone] = grid.json("data", "history", box)
    assert (gone["did"], gone["kind"]) == (ds, "dataset")
    assert grid.sancho("data", "ls", box, "--as-of", "yesterday").exit_code == 2
    assert grid.sancho("data", "ls", "--as-of", then).exit_code == 2


def test_a_scope_is_given_away_and_a_name_is_looked_up(grid: Grid, unique: str) -> None:
    changed = grid.json("data", "scope", "mc", "--shared", account="root")
    assert (changed["scope"] if "scope" in changed else changed["name"]) == "mc"
    assert grid.sancho("data", "scope", "mc", account="root").exit_code == 1
    assert grid.json("identity", "who", f"/CN={unique}") == []


def test_followed_data_is_listed_with_when_it_changed(grid: Grid, unique: str) -> None:
    did = f"mc:{unique}"
    grid.json("data", "create", did)
    assert grid.sancho("data", "follow", did).exit_code == 0
    assert did in [one["did"] for one in grid.json("data", "followed", "--since", "2020-01-01")]
    assert did not in [one["did"] for one in grid.json("data", "followed", "--since", "2100-01-01")]
    grid.sancho("data", "unfollow", did)
    assert did not in grid.sancho("data", "followed").stdout
