"""Who is suspended by their identity provider is out within a minute: the bound, by what is declared."""

from datetime import timedelta

from sancho.identity import tasks
from sancho.kit.issuer import REMEMBERED
from sancho.kit.worker import POLL, make_app
from sancho.parts import TASKS
from tests.identity.schedule import longest_gap

READING = timedelta(seconds=8)
"""What is left for reading the provider's list, as the task says."""


def test_a_look_at_the_list_and_what_is_remembered_take_a_minute_at_most() -> None:
    looking = longest_gap(make_app("postgresql:///", TASKS), "identity:follow")

    assert looking + POLL + READING + REMEMBERED <= timedelta(minutes=1)
    assert f"within {READING.total_seconds():.0f} seconds" in (tasks.follow.__doc__ or "")
