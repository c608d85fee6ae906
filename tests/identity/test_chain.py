"""The chain of sealed batches by itself: whatever is altered, it breaks there."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from sancho.decisions import plan
from sancho.decisions.model import AuditRow, Batch

CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=5)
ROW = st.builds(
    AuditRow, audit_id=st.just(0), vo=st.just(1), at=st.datetimes(timezones=st.timezones()), account=CELLS,
    pilot_id=st.none() | st.integers(1, 9), permission=CELLS, thing=st.none() | CELLS, items=st.integers(1, 9),
    allowed=st.booleans(), why=CELLS, route=st.none() | CELLS, trace_id=st.none() | CELLS, client=st.none() | CELLS,
)  # fmt: skip


def sealed(batches: list[list[AuditRow]]) -> tuple[list[Batch], list[AuditRow]]:
    previous, last = plan.BEGINNING, 0
    numbered: list[AuditRow] = []
    made: list[Batch] = []
    for number, rows in enumerate(batches, start=1):
        seal = plan.Seal(1, number, previous)
        for row in rows:
            last += 1
            numbered.append(replace(row, audit_id=last))
            seal.add(numbered[-1])
        done = seal.sealed()
        previous = done.sha256
        made.append(Batch(number=number, rows=done.rows, last_id=last, sealed_at=rows[0].at, sha256=done.sha256))
    return made, numbered


def checked(batches: list[Batch], rows: list[AuditRow]) -> int | None:
    check = plan.Check(1)
    check.expect(batches)
    for row in rows:
        check.add(row)
    check.end()
    return check.verdict().broken


@given(st.lists(st.lists(ROW, min_size=1, max_size=3), min_size=1, max_size=4), st.data())
def test_any_other_row_breaks_the_chain_at_its_batch(batches: list[list[AuditRow]], data: st.DataObject) -> None:
    made, rows = sealed(batches)
    assert checked(made, rows) is None

    at = data.draw(st.integers(0, len(rows) - 1))
    other = replace(data.draw(ROW), audit_id=rows[at].audit_id)
    changed = [*rows[:at], other, *rows[at + 1 :]]
    where = next(batch.number for batch in made if rows[at].audit_id <= batch.last_id)
    assert checked(made, changed) == (None if plan.canonical(other) == plan.canonical(rows[at]) else where)


@given(st.lists(st.lists(ROW, min_size=1, max_size=3), min_size=2, max_size=5), st.data())
def test_a_batch_that_is_missing_is_named(batches: list[list[AuditRow]], data: st.DataObject) -> None:
    made, rows = sealed(batches)
    gone = data.draw(st.integers(0, len(made) - 2))

    assert checked([*made[:gone], *made[gone + 1 :]], rows) == gone + 1
