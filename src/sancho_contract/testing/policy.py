"""What every policy plugin must pass.

    class TestMyPolicy(PolicyConformance):
        def plugin(self):
            return MyPolicy(MyPolicy.Settings(...))

Add tests of what yours allows and denies.
"""

import itertools
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

from sancho_contract.policy import Answer, Opinion, PolicyPlugin, Question

OUTSIDE = ("open", "socket.", "subprocess.", "os.system", "os.exec", "os.fork", "urllib.", "sqlite3.")
"""Events of the interpreter that show that code talks to something outside of itself."""
ACCOUNTS = ("alice", "a", "x" * 63)
GROUPS = ((), ("users",), ("users", "production"))
PERMISSIONS = ("rules:create", "jobs:create", "dids:manage", "topology:manage")
THINGS = (
    None, "did:mc:", "did:mc:run7/events.root", "did:user.alice:private/x", f"did:mc:{'d/' * 200}f", "site:LYON",
    "tag:gpu", "job:17", "did:mc:ünïcode/文件", "",
)  # fmt: skip

_watched: list[str] | None = None


def _watch(event: str, _arguments: object) -> None:
    if _watched is not None and event.startswith(OUTSIDE):
        _watched.append(event)


sys.addaudithook(_watch)


@contextmanager
def _watching() -> Iterator[list[str]]:
    global _watched  # noqa: PLW0603 - an audit hook cannot be taken away again
    _watched = seen = []
    try:
        yield seen
    finally:
        _watched = None


def questions() -> list[Question]:
    """Questions of many kinds."""
    each = itertools.product(ACCOUNTS, GROUPS, PERMISSIONS, THINGS, (False, True))
    return [
        Question(vo="belle", account=account, groups=groups, permission=permission, thing=thing, own=own)
        for account, groups, permission, thing, own in each
    ]


class PolicyConformance:
    """Derive from it and give `plugin`."""

    def plugin(self) -> PolicyPlugin:
        """A plugin, made anew."""
        raise NotImplementedError

    def test_every_question_gets_an_answer(self) -> None:
        plugin = self.plugin()
        for question in questions():
            answer = plugin.judge(question)
            assert isinstance(answer, Answer), question
            assert isinstance(answer.opinion, Opinion), question

    def test_an_opinion_comes_with_a_reason(self) -> None:
        plugin = self.plugin()
        for question in questions():
            answer = plugin.judge(question)
            assert answer.opinion is Opinion.NONE or answer.reason.strip(), question
            assert len(answer.reason) <= 300, question

    def test_the_same_question_gets_the_same_answer(self) -> None:
        plugin, other = self.plugin(), self.plugin()
        first = [plugin.judge(question) for question in questions()]
        assert [plugin.judge(question) for question in reversed(questions())] == first[::-1]
        assert [other.judge(replace(question)) for question in questions()] == first

    def test_it_may_be_asked_from_many_threads(self) -> None:
        plugin = self.plugin()
        first = [plugin.judge(question) for question in questions()]
        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(plugin.judge, questions())) == first

    def test_it_talks_to_nobody(self) -> None:
        plugin = self.plugin()
        with _watching() as seen:
            for question in questions():
                plugin.judge(question)
        assert seen == []
