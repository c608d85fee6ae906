"""Fixtures of the tests of transfers."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from sancho.kit import faults
from tests.rules.given import Later
from tests.served import Served
from tests.transfers.given import Grid, Killed


@pytest.fixture
def grid(served: Served) -> Grid:
    clock = Later()
    return Grid(served, replace(served.deployment, clock=clock), clock)


@pytest.fixture
def killed_at() -> Iterator[Callable[[str], None]]:
    """Let the worker die when it passes a point; an empty name lets it live."""

    def choose(point: str) -> None:
        def passed(name: str) -> None:
            if name == point:
                raise Killed

        faults.install(passed)

    yield choose
    faults.install(None)
