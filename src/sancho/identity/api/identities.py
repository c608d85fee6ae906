"""Native routes of what proves accounts: SSH keys, names in certificates."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import Query
from pydantic import BaseModel, Field

from sancho.identity.api.accounts import Acting
from sancho.identity.errors import (
    AccountNotFound,
    BeyondYours,
    IdentityNotFound,
    IdentityTaken,
    NameInvalid,
    SshKeyInvalid,
    TooManyIdentities,
)
from sancho.identity.model import Identity
from sancho.identity.service import identities
from sancho.kit.errors import PermissionMissing
from sancho.kit.problem import problems
from sancho.kit.web import Transaction, native

router = native(tags=["identity"])


class IdentityIn(BaseModel, extra="forbid"):
    """What shall prove an account: a line of an `.pub` file, or a name like `/DC=org/DC=example/CN=Jane Doe`."""

    kind: Literal["ssh_key", "x509"]
    subject: Annotated[str, Field(max_length=16_384)]


class IdentityOut(BaseModel):
    """What proves an account: `subject` is a name, a key's print, or an issuer and whom it means."""

    kind: str
    subject: str
    created_at: datetime
    proven_at: datetime | None
    """When it was last used to log in, where that is noted."""

    @classmethod
    def of(cls, identity: Identity) -> "IdentityOut":
        """Render one; a key is shown by its print."""
        return cls(
            kind=identity.kind.word, subject=identity.subject, created_at=identity.created_at,
            proven_at=identity.proven_at,
        )  # fmt: skip


class ProofOut(IdentityOut):
    """What proves an account, and which."""

    account: str


@router.get("/identities")
async def find_identities(
    subject: Annotated[str, Query(max_length=1000, examples=["/DC=org/DC=example/CN=Jane Doe"])],
    caller: Acting,
    conn: Transaction,
) -> list[ProofOut]:
    """Say which accounts a name, or a key's print, proves: with `accounts:manage` of all, else whether one's own."""
    return [
        ProofOut(account=one.account, **IdentityOut.of(one).model_dump())
        for one in await identities.proofs_by(conn, caller, subject)
    ]


@router.get("/accounts/{name}/identities", responses=problems(AccountNotFound, PermissionMissing))
async def list_identities(name: str, caller: Acting, conn: Transaction) -> list[IdentityOut]:
    """List what proves an account: one's own, or with `accounts:manage` another's."""
    return [IdentityOut.of(one) for one in await identities.list_identities(conn, caller, name)]


@router.post(
    "/accounts/{name}/identities",
    status_code=201,
    responses=problems(
        AccountNotFound, PermissionMissing, BeyondYours, SshKeyInvalid, NameInvalid, IdentityTaken, TooManyIdentities
    ),
)
async def add_identity(name: str, body: IdentityIn, caller: Acting, conn: Transaction) -> IdentityOut:
    """Let an SSH key, or who has a certificate in a name, log in to an account; names need `accounts:manage`."""
    add = identities.add_ssh_key if body.kind == "ssh_key" else identities.add_certificate_name
    return IdentityOut.of(await add(conn, caller, name, body.subject))


@router.delete(
    "/accounts/{name}/identities",
    status_code=204,
    responses=problems(AccountNotFound, PermissionMissing, BeyondYours, IdentityNotFound),
)
async def remove_identity(
    name: str, subject: Annotated[str, Query(max_length=1000)], caller: Acting, conn: Transaction
) -> None:
    """Let an SSH key, by its print, or a name in certificates log in to an account no more."""
    await identities.remove_identity(conn, caller, name, subject)
