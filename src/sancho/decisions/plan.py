"""Pure parts: the hash of a batch, the check of a chain, and what would make a decision another one."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import UTC

from sancho.decisions.model import AuditRow, Batch, Gap, Head, Sealed, Verdict
from sancho.kit.access import Decision

BEGINNING = bytes(32)
"""What stands for the hash of the batch before the first."""


def canonical(row: AuditRow) -> bytes:
    """The bytes of a row that its batch's hash is made of: a JSON array and a line break."""
    said = [
        row.audit_id, row.vo, row.at.astimezone(UTC).isoformat(timespec="microseconds"), row.account, row.pilot_id,
        row.permission, row.thing, row.items, row.allowed, row.why, row.route, row.trace_id, row.client,
    ]  # fmt: skip
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


class Seal:
    """The hash of a batch while its rows come in."""

    def __init__(self, vo: int, number: int, previous: bytes) -> None:
        """Begin a batch after the one whose hash is `previous`."""
        self.vo, self.number = vo, number
        self.rows, self.last_id = 0, 0
        self._hash = hashlib.sha256(previous + f"{vo}:{number}\n".encode())

    def add(self, row: AuditRow) -> None:
        """Take the next row."""
        self._hash.update(canonical(row))
        self.rows += 1
        self.last_id = row.audit_id

    def sealed(self) -> Sealed:
        """The batch as it is to be written."""
        return Sealed(vo=self.vo, number=self.number, rows=self.rows, last_id=self.last_id, sha256=self._hash.digest())


class Check:
    """Follows a chain from its beginning, and remembers where it breaks. Needs no more memory for a longer chain."""

    def __init__(self, vo: int, head: Head | None = None, gap: Gap | None = None) -> None:
        """Check the chain of a VO, behind `gap` if there is one; with `head`, that it holds that batch."""
        gap = gap or Gap(number=0, last_id=0, sha256=BEGINNING)
        self.number: int = gap.number
        self.rows: int = 0
        self.last_id: int = gap.last_id
        self.broken: tuple[int, str] | None = None
        self._vo, self._head, self._dropped = vo, head, gap.number
        self._hash = gap.sha256
        self._batches: list[Batch] = []
        self._seal = Seal(vo, gap.number + 1, gap.sha256)
        if head and head.number < gap.number:
            said = f"Batch {head.number}, which is remembered, was dropped, with all up to {gap.number}."
            self.broken = head.number, said
        elif head and head.number == gap.number and head.sha256 != gap.sha256.hex():
            self.broken = head.number, f"Batch {head.number} is not the one that is remembered."

    def expect(self, batches: Sequence[Batch]) -> None:
        """Take the next batches; their rows follow, in order."""
        self._batches = list(batches)

    def add(self, row: AuditRow) -> None:
        """Take a row of the expected batches."""
        while self.broken is None and self._batches and row.audit_id > self._batches[0].last_id:
            self._close()
        self._seal.add(row)

    def end(self) -> None:
        """The expected batches have no more rows."""
        while self.broken is None and self._batches:
            self._close()

    def _close(self) -> None:
        batch, found = self._batches.pop(0), self._seal.sealed()
        if batch.number <= self._dropped:
            self.broken = (
                batch.number,
                f"Batch {batch.number} is there, and was dropped with all up to {self._dropped}.",
            )
        elif batch.number != self.number + 1:
            self.broken = self.number + 1, f"Batch {self.number + 1} is missing: the next one is {batch.number}."
        elif found.rows != batch.rows:
            self.broken = batch.number, f"Batch {batch.number} has {found.rows} rows; {batch.rows} were sealed."
        elif found.sha256 != batch.sha256:
            self.broken = batch.number, f"The rows of batch {batch.number}, or its place, are not what was sealed."
        elif self._head and self._head.number == batch.number and self._head.sha256 != batch.sha256.hex():
            self.broken = batch.number, f"Batch {batch.number} is not the one that is remembered."
        else:
            self.number, self.rows, self.last_id = batch.number, self.rows + batch.rows, batch.last_id
            self._hash = batch.sha256
            self._seal = Seal(self._vo, batch.number + 1, batch.sha256)

    def verdict(self) -> Verdict:
        """What came of it."""
        broken = self.broken
        if broken is None and self._head and self._head.number > self.number:
            broken = self.number + 1, f"Batch {self._head.number}, which is remembered, is missing."
        head = str(Head(number=self.number, sha256=self._hash.hex())) if self.number else None
        return Verdict(
            intact=broken is None, batches=self.number - self._dropped, rows=self.rows, dropped=self._dropped,
            head=head, broken=broken[0] if broken else None, why=broken[1] if broken else None,
        )  # fmt: skip


def needed(decision: Decision, permission: str, groups: Iterable[tuple[str, Sequence[str]]]) -> tuple[str, ...]:
    """What would have to change for a yes; `groups` are those of the VO, each with its permissions."""
    if decision.allowed:
        return ()
    if decision.policy is not None:
        return (f"Policy {decision.policy} has to be changed or removed: it wins over what groups have.",)
    have = sorted(name for name, held in groups if permission in held or "*" in held)
    ways = [f"Being in a group that has it: {', '.join(have)}."] if have else ["A group that has it: none does."]
    ways.append(f"Or a policy with `effect: allow` for {permission}.")
    if permission.endswith(":manage"):
        ways.append("Or owning it: one's own things need no such permission.")
    return tuple(ways)
