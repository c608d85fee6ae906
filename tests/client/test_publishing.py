"""`sancho data publication draft|list|show|change|withdraw`, on a served grid."""

from tests.client.conftest import Grid


def test_data_is_drafted_published_suspended_and_withdrawn(grid: Grid, unique: str) -> None:
    did, words = f"mc:{unique}", ("data", "publication")
    grid.json("data", "create", did)
    grid.sancho("data", "close", did)
    assert grid.sancho(*words, "draft", did).exit_code == 4

    made = grid.json(*words, "draft", did, account="root")
    about = ("--about", '{"title": "t"}', "--record", "7", "--doi", f"10.1234/{unique}")
    public = grid.json(*words, "change", did, "--state", "public", *about, account="root")
    listed = grid.json(*words, "list", "--state", "public")
    bare = grid.json(*words, "change", did, "--record", "none", "--doi", "none", "--state", "suspended", account="root")
    told = grid.sancho(*words, "show", did).stdout
    gone = grid.sancho(*words, "withdraw", did, account="root")

    assert (made["state"], public["state"], public["about"], public["record_id"]) == (
        "draft",
        "public",
        {"title": "t"},
        7,
    )
    assert did in [one["did"] for one in listed]
    assert (bare["state"], bare["doi"], bare["record_id"]) == ("suspended", None, None)
    assert ("suspended" in told, gone.exit_code) == (True, 0)
    for mistake in ((), ("--record", "x"), ("--about", "{")):
        assert grid.sancho(*words, "change", did, *mistake, account="root").exit_code == 2
