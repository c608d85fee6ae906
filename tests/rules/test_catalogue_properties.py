"""Whatever is made, filled, found, held by rules, erased and restored: the catalogue is what a small model of it says.

A step is a kind of deed and a number that chooses among what there is. After each the tasks that it deferred run, and
the database is compared with the model; locks, usage, tallies and directories are counted anew.
"""

from random import Random

from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from sancho.dids import service
from sancho.dids.model import DidKind
from sancho.kit.db import Connection
from tests.dids.metadata_given import apply
from tests.rules.catalogue_story import STEPS, Step, Story
from tests.rules.given import check_exact
from tests.world import World

STEPS_IN_STORY = 35
AT_ONCE = 3
"""Steps after which the model is compared with the database."""


async def begin(told: Story) -> None:
    """Two datasets that share a file, in the innermost of three containers; a third has found a file in neither."""
    for n in (1, 3, 5):
        await told.make_files(n)
    files = [one.name for one in told.all(DidKind.FILE)]
    for n in (0, 1, 2, 5, 8):
        await told.make_collection(n)
    one, other, *boxes = told.collections
    held = [(one, files[:3]), (other, files[2:-1]), (boxes[0], [one.name, other.name])]
    for parent, names in [*held, (boxes[1], [boxes[0].name]), (boxes[2], [boxes[1].name])]:
        await service.attach(told.conn, 1, parent.did_id, [told.there[name].did_id for name in names])
        parent.inside |= set(names)
    await told.follow(2)


def steps_of(seed: int) -> list[tuple[Step, int]]:
    """A story, drawn here: lists that Hypothesis draws have few kinds of steps each, many times."""
    drawn = Random(seed)
    return [
        (drawn.choices(list(STEPS), list(STEPS.values()))[0], drawn.randrange(1000)) for _ in range(STEPS_IN_STORY)
    ]  # fmt: skip


@settings(max_examples=16, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
async def test_the_catalogue_is_what_its_model_says(conn: Connection, world: World, seed: int) -> None:
    async with conn.transaction(force_rollback=True):
        await apply(conn, world, run={"kind": "integer"})
        told = Story(conn, world)
        await begin(told)
        for k, (happen, n) in enumerate(steps_of(seed)):
            note(f"{happen.__name__}({n})")
            await happen(told, n)
            await told.run_tasks()
            if k % AT_ONCE == 0:
                await told.compare(n)
                await told.remember()
        await told.let_time_pass(0)
        await told.compare(0)
        await check_exact(conn)
