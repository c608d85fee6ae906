"""The namings of Rucio's clients pass the suite; that they are those of the clients is told in `tests/compat`."""

import pytest

from sancho_contract.naming import Naming
from sancho_contract.testing.naming import NamingConformance
from sancho_plugins.namings import Hash, Identity, NamingSettings


class TestHash(NamingConformance):
    def plugin(self) -> Naming:
        return Hash(NamingSettings())


class TestIdentity(NamingConformance):
    def plugin(self) -> Naming:
        return Identity(NamingSettings())


@pytest.mark.parametrize(
    ("scope", "path"),
    [("mc", "mc/48/6f/run7/f"), ("user.alice", "user/alice/8f/57/run7/f"), ("group.phys", "group/phys/47/3a/run7/f")],
)
def test_scopes_of_users_and_groups_are_folders_in_folders(scope: str, path: str) -> None:
    hashed, plain = Hash(NamingSettings()).path(scope, "run7/f"), Identity(NamingSettings()).path(scope, "run7/f")
    assert hashed == path
    assert plain == path[: path.index("/run7") - 6] + "/run7/f"
