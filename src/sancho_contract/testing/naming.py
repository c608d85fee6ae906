"""What every naming plugin must pass.

    class TestMyNaming(NamingConformance):
        def plugin(self):
            return MyNaming(MyNaming.Settings())

Add tests of the paths that yours makes.
"""

import itertools
from concurrent.futures import ThreadPoolExecutor

from sancho_contract.naming import Naming

SCOPES = ("mc", "data25_13TeV", "user.alice", "user.alice.b", "group.phys-higgs", "MC", "s" * 30)
NAMES = (
    "f", "run7/events.root", "a.b.c", "d/" * 60 + "f", "x" * 200, "Ünïcode/文件", "a%2Fb", "a#b?c", "F", "user/alice/f",
)  # fmt: skip


class NamingConformance:
    """Derive from it and give `plugin`."""

    def plugin(self) -> Naming:
        """A plugin, made anew."""
        raise NotImplementedError

    def test_every_path_is_plain(self) -> None:
        plugin = self.plugin()
        for scope, name in itertools.product(SCOPES, NAMES):
            words = plugin.path(scope, name).split("/")
            assert not {"", ".", ".."} & set(words), (scope, name)
            assert len(words) > 1, (scope, name)

    def test_no_two_files_have_one_path(self) -> None:
        plugin = self.plugin()
        pairs = list(itertools.product(SCOPES, NAMES))
        assert len({plugin.path(scope, name) for scope, name in pairs}) == len(pairs)

    def test_the_same_file_has_the_same_path(self) -> None:
        plugin, other = self.plugin(), self.plugin()
        pairs = list(itertools.product(SCOPES, NAMES))
        first = [plugin.path(scope, name) for scope, name in pairs]
        assert [other.path(scope, name) for scope, name in reversed(pairs)] == first[::-1]
        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(plugin.path, *zip(*pairs, strict=True))) == first
