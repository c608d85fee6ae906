"""Rucio's words for what goes out and comes in as a whole: RSEs, links and accounts, as clients send them."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field

from sancho.compat.rucio.accounts_wire import AuthType, Email, Type
from sancho.compat.rucio.rses_wire import ProtocolSaid, RseChange, Word

MOST_PROOFS = 200
"""What may come to prove accounts at once."""
Cost = Annotated[int, Field(ge=0, lt=2**15)]


class ProtocolData(ProtocolSaid):
    """A protocol of an RSE."""

    scheme: Annotated[str, Field(max_length=20)]


class RseData(RseChange):
    """An RSE as it shall be: what is not said stays. What follows from something else is not looked at."""

    rse: Word | None = None
    id: Word | None = None
    availability: int | None = None
    domain: list[Word] | None = None
    credentials: None = None
    sign_url: None = None
    verify_checksum: Literal[True] | None = None
    lfn2pfn_algorithm: Word | None = None
    attribute: dict[Word, bool | int | float | Word | None] = Field({}, alias="attributes", max_length=1000)
    protocols: list[ProtocolData] = Field([], max_length=20)


class LinkData(BaseModel, extra="forbid"):
    """What transfers between two RSEs cost; `ranking` is an old word for the same."""

    distance: Cost
    ranking: Cost | None = None
    src_rse_id: Word | None = None
    dest_rse_id: Word | None = None


class ProofData(BaseModel, extra="forbid"):
    """What proves an account."""

    type: AuthType
    identity: Annotated[str, Field(max_length=16_384)]
    email: Email | None = None
    password: None = None


class AccountData(BaseModel, extra="forbid"):
    """An account as it shall be, and what shall prove it beside what does already."""

    account: Word
    email: Email | None = None
    type: Type | None = None
    identities: Annotated[list[ProofData], Field(max_length=MOST_PROOFS)] = []


def _few_proofs(accounts: list[AccountData]) -> list[AccountData]:
    if sum(len(account.identities) for account in accounts) > MOST_PROOFS:
        raise ValueError(f"should say {MOST_PROOFS} identities at most")
    return accounts


class DataIn(BaseModel, extra="forbid"):
    """RSEs and links by name, and accounts."""

    rses: Annotated[dict[Word, RseData], Field(max_length=1000)] = {}
    distances: Annotated[dict[Word, dict[Word, LinkData]], Field(max_length=1000)] = {}
    accounts: Annotated[list[AccountData], Field(max_length=1000), AfterValidator(_few_proofs)] = []
