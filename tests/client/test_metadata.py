"""The verbs of metadata, searches and smart datasets against a real API."""

import pytest

from sancho_client.calls import data, metadata
from tests.client.conftest import Grid


@pytest.fixture(scope="session")
def keys(grid: Grid, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keys of belle."""
    path = tmp_path_factory.mktemp("keys") / "keys.yaml"
    kinds = (("run", "integer"), ("detector", "texts"), ("title", "text"))
    documents = [f"kind: MetadataKey\nname: {name}\nvo: belle\nspec: {{kind: {kind}}}\n" for name, kind in kinds]
    path.write_text("---\n".join(documents))
    made = grid.sancho("apply", "-f", str(path), account="root")
    assert made.exit_code == 0, made.output


def test_metadata_is_set_shown_and_found(keys: None, grid: Grid, unique: str) -> None:
    did, other = f"mc:{unique}", f"mc:{unique}.other"
    with grid.client() as client:
        client.send(data.create(did, "dataset"))
        client.send(data.create(other, "container"))
        client.send(data.attach(other, [did]))

    assert grid.sancho("data", "meta", "set", did, other, "run=1200", "detector=ecl,top", "title=a=b c").exit_code == 0
    assert grid.sancho("data", "meta", "set", did, "title=").exit_code == 0
    shown = grid.json("data", "meta", "get", did)
    assert shown == [{"did": did, "metadata": {"run": 1200, "detector": ["ecl", "top"]}}]
    inherited = grid.json("data", "meta", "get", did, "--inherit")
    assert inherited[0]["metadata"]["title"] == "a=b c"
    with grid.client() as client:
        assert client.send(metadata.of(did, inherit=True)).metadata == inherited[0]["metadata"]
    assert f"{did}\trun\t1200" in grid.sancho("data", "meta", "get", did).stdout
    assert {"run", "detector", "title"} <= {key["name"] for key in grid.json("data", "meta", "keys")}

    query = f"run > 1199 & detector in (ecl) & name like {unique}*"
    assert {one["did"] for one in grid.json("data", "find", query)} == {did, other}
    assert [one["did"] for one in grid.json("data", "find", query, "--in", other, "--scope", "mc")] == [did]
    assert [one["did"] for one in grid.json("data", "find", query, "--kind", "container", "--inherit")] == [other]
    assert len(grid.json("data", "find", query, "--limit", "1")) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["data", "find", "run >"], "is not well-formed at position"),
        (["data", "find", "rnu > 1"], "did you mean run"),
        (["data", "meta", "set", "mc:none", "run=1"], "DID mc:none does not exist"),
        (["data", "smart", "mc:x", "run = x"], "'x' is no number"),
        (["data", "freeze", "mc:none"], "DID mc:none does not exist"),
    ],
)
def test_what_cannot_be_done_is_named(keys: None, grid: Grid, words: list[str], said: str) -> None:
    ended = grid.sancho(*words)
    assert (ended.exit_code, said in ended.stderr) == (1, True), ended.stderr


@pytest.mark.parametrize("words", [["mc:a"], ["run=1"], ["mc:a", "run=1", "b"]])
def test_a_line_that_makes_no_sense_says_so(grid: Grid, words: list[str]) -> None:
    ended = grid.sancho("data", "meta", "set", *words)
    assert (ended.exit_code, "Say DIDs, then KEY=VALUE" in ended.stderr) == (2, True), ended.stderr


def test_a_dataset_follows_a_search_until_it_is_frozen(keys: None, grid: Grid, unique: str) -> None:
    did = f"mc:{unique}.smart"
    made = grid.json("data", "smart", did, f"name like {unique}/*", "--scope", "mc")
    assert (made["where"], made["scope"], made["refreshed_at"]) == (f"name like {unique}/*", "mc", None)
    assert grid.json("data", "refresh", did) == {"attached": 0, "detached": 0, "more": False}
    assert grid.json("data", "smart", did)["refreshed_at"] is not None
    assert grid.json("data", "freeze", did)["open"] is False
    assert "follows no search" in grid.sancho("data", "smart", did).stderr
