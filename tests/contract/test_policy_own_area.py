"""The policy of own areas passes the suite, and keeps people out of each other's folders."""

import pytest
from pydantic import ValidationError

from sancho_contract.policy import Opinion, PolicyPlugin, Question
from sancho_contract.testing.policy import PolicyConformance
from sancho_plugins.own_area import OwnArea, OwnAreaSettings


def plugin() -> OwnArea:
    return OwnArea(OwnAreaSettings(areas=("mc:users/{account}",)))


class TestOwnArea(PolicyConformance):
    def plugin(self) -> PolicyPlugin:
        return plugin()


@pytest.mark.parametrize(
    ("thing", "opinion"),
    [
        ("did:mc:users/alice/f", Opinion.NONE),
        ("did:mc:users/alice", Opinion.NONE),
        ("did:mc:users/bob/f", Opinion.DENY),
        ("did:mc:users/alice2/f", Opinion.DENY),
        ("did:mc:users/alice.root", Opinion.DENY),
        ("did:mc:run7/f", Opinion.NONE),
        ("site:LYON", Opinion.NONE),
        (None, Opinion.NONE),
    ],
)
def test_only_the_own_folder_is_open(thing: str | None, opinion: Opinion) -> None:
    question = Question(vo="belle", account="alice", groups=(), permission="dids:create", thing=thing)

    assert plugin().judge(question).opinion is opinion


@pytest.mark.parametrize("area", ["mc:users", "{account}", "mc:{account}/x", "mc:a b/{account}"])
def test_an_area_ends_with_the_account(area: str) -> None:
    with pytest.raises(ValidationError):
        OwnAreaSettings(areas=(area,))
