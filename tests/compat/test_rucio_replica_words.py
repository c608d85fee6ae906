"""Spellings of replicas and rules: whatever goes out comes back, and what nobody has written is not read."""

import json

from hypothesis import given
from hypothesis import strategies as st

from sancho.compat.rucio import replicas_translate as say
from sancho.compat.rucio import rules_translate
from sancho.compat.rucio.endpoints import meaning
from sancho.compat.rucio.replicas_wire import Choice
from sancho.compat.rucio.translate import id_of, number_of
from sancho.replicas.model import FileCopies, ReplicaState
from sancho.rses.model import Protocol, Rse
from sancho.rules.model import RuleState


@given(st.integers(0, 2**63 - 1))
def test_the_number_of_a_rule_comes_back(number: int) -> None:
    said = id_of(number)
    assert (len(said), number_of(said)) == (32, number)
    assert number_of(said.upper()) == number


@given(st.text() | st.from_regex("[0-9a-f]{31,33}", fullmatch=True) | st.integers(2**63, 2**128).map(id_of))
def test_what_is_no_number_of_a_rule_is_not_read(text: str) -> None:
    number = number_of(text)
    assert number is None or id_of(number) == text.lower().replace("-", "")


def test_states_are_known_by_name_and_by_letter() -> None:
    for state, name in rules_translate.STATES.items():
        assert rules_translate.state_of(name) is rules_translate.state_of(name[0]) is state
    assert set(rules_translate.STATES) == set(RuleState)
    assert rules_translate.state_of(None) is None


def test_a_request_means_the_endpoint_that_names_most_of_its_path() -> None:
    said = {
        path: getattr(meaning("GET", path), "path", None)
        for path in ("/replicas/bad/states", "/replicas/mc/a/b", "/replicas/mc/a/datasets", "/rules/1/locks", "/x/y/z")
    }
    assert said == {
        "/replicas/bad/states": "/replicas/bad/states[/]",
        "/replicas/mc/a/b": "/replicas/{scope}/{name}[/]",
        "/replicas/mc/a/datasets": "/replicas/{scope}/{name}/datasets",
        "/rules/1/locks": "/rules/{rule_id}/locks",
        "/x/y/z": None,
    }


def test_a_replica_has_a_url_for_each_protocol_that_the_reader_may_use() -> None:
    near = Protocol(plugin="webdav", prefix="http://near", settings={}, domains={"lan": {"read": 1}})
    far = Protocol(plugin="webdav", prefix="davs://far/data", settings={}, domains={"wan": {"read": 2}})
    rse = Rse(
        rse_id=7, vo=0, name="A-DISK", site_id=1, site="A", audience="a", plugin="webdav", prefix="https://first",
        settings={}, attributes={}, readable=True, writable=True, deletable=True,
        domains={"wan": {"read": 1}}, others=(near, far),
    )  # fmt: skip
    file = FileCopies(1, "mc", "a", 10, None, ((7, ReplicaState.AVAILABLE, "/belle/a"),), (), md5="0f" * 16)

    def urls(choice: Choice, rank: tuple[int, int] = (2, 0)) -> list[str]:
        return [one.url for one in say.find(file, "belle", say.There({7: rse}, {7: rank}, choice))]

    assert urls(Choice()) == ["https://first:443/belle/a", "davs://far:443/data/belle/a"]
    assert urls(Choice(), (0, 0)) == urls(Choice(domain="lan")) == ["http://near:80/belle/a"]
    assert urls(Choice(schemes=["davs"])) == ["davs://far:443/data/belle/a"]
    said = json.loads(say.line_of(file, say.find(file, "belle", say.There({7: rse}, {}, Choice())), Choice()))
    assert said["rses"] == {"A-DISK": list(said["pfns"])}
    assert (said["adler32"], said["md5"]) == (None, "0f" * 16)
    assert f'<hash type="md5">{"0f" * 16}</hash>' in say.metalink_of(file, [], Choice())
    assert not say.fits(rse, Choice(schemes=["root"]))
