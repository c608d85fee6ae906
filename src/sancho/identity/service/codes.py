"""The codes and ids of logins, and what is derived from the cookie that ties a login to its browser."""

import base64
import hashlib
import hmac
import re
import secrets
import uuid
from datetime import UTC, datetime, timedelta

LONGEST_LOGIN = timedelta(days=90)
"""However often it is renewed, a login ends after this."""
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}", re.ASCII)
_CODE = re.compile(r"s[cdb]-(\d{1,5})-[A-Za-z0-9_-]{43}", re.ASCII)
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
"""Of user codes: no vowels, so no words (RFC 8628 §6.1); 20⁸ of them, good for ten minutes."""


def new_user_code() -> str:
    """A new code for a person to type."""
    return "".join(secrets.choice(_LETTERS) for _ in range(8))


def new_family(now: datetime) -> uuid.UUID:
    """A new id of a login and the tokens that come of it, which says when it began (UUID version 7, RFC 9562)."""
    milliseconds = int(now.timestamp() * 1000) & (2**48 - 1)
    return uuid.UUID(int=milliseconds << 80 | 7 << 76 | secrets.randbits(12) << 64 | 2 << 62 | secrets.randbits(62))


def ends_at(family: uuid.UUID, *, no_later_than: datetime) -> datetime:
    """When tokens that renew a login end: as they would, but no later than the login itself."""
    if family.version != 7:
        return no_later_than
    return min(no_later_than, datetime.fromtimestamp((family.int >> 80) / 1000, UTC) + LONGEST_LOGIN)


def challenge_of(verifier: str) -> str:
    """The S256 of a PKCE verifier (RFC 7636)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def proof_of(browser: str, login_id: uuid.UUID) -> str:
    """What a form on a login's page carries, so that no other site can send it."""
    return derived(browser, login_id.hex, "form")


def derived(browser: str, what: str, purpose: str) -> str:
    """What only the browser with this cookie, and we while it asks us, can say; another for each purpose."""
    said = hmac.new(browser.encode(), f"{purpose} {what}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(said).rstrip(b"=").decode()


def nothing() -> bytes:
    """A hash of nothing that anybody knows."""
    return secrets.token_bytes(32)


def vo_of(code: str) -> int | None:
    """The VO of a code; None for what is no code of ours."""
    found = _CODE.fullmatch(code)
    return int(found[1]) if found and int(found[1]) < 2**15 else None
