"""What the audit log says of users' tokens: which were given, to whom and by what proof, and which were refused."""

import uuid

from sancho.kit import audit

ISSUE = "tokens:issue"
"""What stands in the log where otherwise a permission does."""
NOBODY = "-"
"""Stands for an account that does not exist: what was typed for one may be a password."""


def note_given(vo: int, account: str, why: str, *, login: uuid.UUID | str | None = None) -> None:
    """Note that an account was given tokens; of a login that renews itself once, at its beginning."""
    _note(vo, account, why, allowed=True, login=login)


def note_refused(vo: int, account: str, why: str, *, login: uuid.UUID | str | None = None) -> None:
    """Note that tokens were refused, or that a login was ended because something of it was stolen."""
    _note(vo, account, why, allowed=False, login=login)


def _note(vo: int, account: str, why: str, *, allowed: bool, login: uuid.UUID | str | None) -> None:
    thing = None if login is None else f"login:{uuid.UUID(str(login))}"
    audit.note(
        audit.Entry(vo=vo, account=account, permission=ISSUE, allowed=allowed, why=why, thing=thing, issued=allowed)
    )
