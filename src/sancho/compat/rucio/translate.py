"""Rucio's spellings of ours, and back: pure, each pair a round trip."""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

from sancho.compat.rucio import wire
from sancho.identity import service as identity
from sancho.identity.model import Account, Identity, Proof
from sancho.kit.access import INSTANCE
from sancho.vos.model import VO, Spec

PROOFS: Mapping[Proof, str] = {
    Proof.PASSWORD: "USERPASS", Proof.X509: "X509", Proof.SSH_KEY: "SSH", Proof.TOKEN_ISSUER: "OIDC",
}  # fmt: skip
"""What Rucio calls the ways to prove an account; others it has no word for."""
DEFAULT_VO = "def"
"""What a client says that was told of no VO."""
_WAITING = re.compile(r"([A-Z]{8})\.(sd-\d{1,5}-[A-Za-z0-9_-]{43})_polling", re.ASCII)
_ID = re.compile(r"0{16}[0-7][0-9a-f]{15}", re.ASCII)
_FETCHED = re.compile(r"(sc-\d{1,5}-[A-Za-z0-9_-]{43})\.([A-Za-z0-9_-]{43})", re.ASCII)


def date_of(at: datetime) -> str:
    """A time as Rucio's headers and bodies say it: `Sun, 22 Nov 2026 15:29:15 UTC`."""
    return format_datetime(at.astimezone(UTC), usegmt=True).replace("GMT", "UTC")


def read_date(text: str) -> datetime:
    """The time that such a text says."""
    return parsedate_to_datetime(text.replace("UTC", "GMT"))


def vo_meant(said: str | None, vos: Sequence[VO]) -> VO | None:
    """The VO that a client means: by its name or alias, and without one, or by `def`, the only one there is."""
    found = next((vo for vo in vos if said in (vo.name, vo.alias) and said is not None), None)
    users = [vo for vo in vos if vo.vo != INSTANCE]
    if found is None and said in (None, "", DEFAULT_VO) and len(users) == 1:
        return users[0]
    return found


def name_and_vo(said: str | None) -> tuple[str | None, str | None]:
    """An account as a client says it, and the VO that it names with it, as Rucio does: `alice@belle`."""
    name, at, vo = (said or "").rpartition("@")
    return (name, vo) if at else (said, None)


def vo_in_list(vo: VO, spec: Spec) -> dict[str, Any]:
    """A VO as the list of all shows it; `spec` is what its document says, for who may see that."""
    return {
        "vo": vo.name, "description": spec.get("description"), "email": spec.get("email"), "created_at": None,
        "updated_at": None,
    }  # fmt: skip


def account_of(account: Account, *, email: str | None) -> wire.Account:
    """An account in Rucio's words. When it was changed or suspended last is not kept, so it was made then."""
    made = account.created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return wire.Account(
        account=account.name, account_type=account.kind.name, status=account.state.name, email=email,
        suspended_at=None, deleted_at=None, created_at=made, updated_at=made,
    )  # fmt: skip


def account_in_list(account: Account, *, seen: bool) -> dict[str, Any]:
    """An account as the list of all shows it, with its address where that may be `seen`."""
    return {"account": account.name, "type": account.kind.name, "email": account.email if seen else None}


def fits(account: Account, asked: Mapping[str, str], administrators: Collection[str]) -> bool:
    """Say whether an account has these attributes, whose values are as a query spells them."""
    said = {**account.attributes, "admin": account.name in administrators}
    return all(key in said and str(said[key]).lower() == value.lower() for key, value in asked.items())


def account_spec(account: Account, spec: Spec | None, said: Mapping[str, Any]) -> Spec:
    """What the document of an account is to say when a client has said this of it; `spec` is what it says now."""
    kept = identity.document_of(account, spec)
    if said.get("account_type") is not None:
        kept["kind"] = said["account_type"].lower()
    return {**kept, "email": said["email"]} if "email" in said else kept


def identity_of(identity: Identity, email: str | None) -> dict[str, Any] | None:
    """What proves an account, as Rucio says it: a key is shown whole; None for what it has no word for."""
    shown = identity.detail or identity.subject
    if identity.kind is Proof.TOKEN_ISSUER and identity.issuer:
        shown = f"SUB={identity.subject.removeprefix(identity.issuer).strip()}, ISS={identity.issuer}"
    kind = PROOFS.get(identity.kind)
    return None if kind is None else {"type": kind, "identity": shown, "email": email}


def waiting_code(device_code: str, user_code: str) -> str:
    """What the address of a login holds that the client polls and a browser opens."""
    return f"{user_code}.{device_code}_polling"


def read_waiting_code(text: str) -> tuple[str, str] | None:
    """Device code and user code in such an address."""
    found = _WAITING.fullmatch(text)
    return (found[2], found[1]) if found else None


def fetch_code(code: str, verifier: str) -> str:
    """What a browser shows at the end of a login, for the person to type into the client."""
    return f"{code}.{verifier}"


def read_fetch_code(text: str) -> tuple[str, str] | None:
    """Code and verifier in what was typed."""
    found = _FETCHED.fullmatch(text)
    return (found[1], found[2]) if found else None


def secret_of(header: str) -> str:
    """A secret that came in a header, which clients write as UTF-8 or as Latin-1; headers are read as the latter."""
    try:
        return header.encode("latin-1").decode()
    except UnicodeError:
        return header


def is_true(header: str | None) -> bool:
    """Whether a client says yes."""
    return (header or "").lower() in {"true", "1"}


def validated(account: str, vo: str, until: datetime, scope: str) -> str:
    """What `/auth/validate` answers: not JSON, but how Python shows a dictionary."""
    said: dict[str, Any] = {
        "account": account, "identity": f"{vo}:{account}", "lifetime": until.astimezone(UTC).replace(tzinfo=None),
        "audience": None, "authz_scope": scope, "vo": vo,
    }  # fmt: skip
    return str(said)


def id_of(number: int) -> str:
    """An id as Rucio says it: our number, in 32 hex digits."""
    return f"{number:032x}"


def number_of(text: str) -> int | None:
    """The number in 32 hex digits, as `id_of` writes it; None when it is no such text."""
    plain = text.lower().replace("-", "")
    return int(plain, 16) if _ID.fullmatch(plain) else None
