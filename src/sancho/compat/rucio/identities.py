"""What proves Rucio's accounts: passwords, SSH keys, names in certificates; what a provider vouches for is only shown.

A password's user name is the account's. An identity proves one account, so which is the default one is never asked.
"""

from collections.abc import AsyncIterator, Iterable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from fastapi.responses import StreamingResponse

from sancho.compat.rucio import translate
from sancho.compat.rucio.accounts_wire import AuthType, IdentityIn, IdentityNamed
from sancho.compat.rucio.caller import RucioCaller, RucioTransaction, gives
from sancho.compat.rucio.errors import CannotGetDn
from sancho.compat.rucio.identities_body import prove, refuse, subject
from sancho.compat.rucio.streams import JSON_STREAM, stream_of
from sancho.identity import service as identity
from sancho.identity.service import identities
from sancho.kit.access import Principal
from sancho.kit.db import Connection
from sancho.kit.proxied import client_certificate
from sancho.kit.web import Deployed

router = APIRouter(prefix="/rucio/accounts", include_in_schema=False, strict_content_type=False)
by_identity = APIRouter(prefix="/rucio/identities", include_in_schema=False)
KINDS = {kind: proof for proof, kind in translate.PROOFS.items()}
Streams = Depends(gives(JSON_STREAM))
Json = Depends(gives("application/json"))


@router.get("/{account}/identities", dependencies=[Streams])
async def list_identities(account: str, caller: RucioCaller, conn: RucioTransaction) -> StreamingResponse:
    """List what proves an account: one's own, or with `accounts:manage` another's."""
    found = await identities.list_identities(conn, caller, account)
    email = (await identity.get_account(conn, caller.vo, account)).email
    return await stream_of(_once([said for one in found if (said := translate.identity_of(one, email)) is not None]))


async def _once(documents: Iterable[Any]) -> AsyncIterator[Iterable[Any]]:
    yield documents


@router.post("/{account}/identities", status_code=201)
async def add(account: str, body: IdentityIn, caller: RucioCaller, deployment: Deployed) -> Response:
    """Let a key, a name in a certificate or a first password prove an account."""
    await prove(deployment, caller, account, body)
    return Response("Created", 201)


@router.delete("/{account}/identities")
async def remove(account: str, body: IdentityNamed, caller: RucioCaller, conn: RucioTransaction) -> Response:
    """Let a key, by itself or its print, or a name in a certificate prove an account no more."""
    if body.authtype not in {"SSH", "X509"}:
        refuse(body, "removed")
    await identities.remove_identity(conn, caller, account, subject(body.authtype, body.identity))
    return Response(None, 200)


@by_identity.get("/accounts", dependencies=[Json])
async def accounts_of(
    caller: RucioCaller,
    conn: RucioTransaction,
    identity_key: Annotated[str, Query(max_length=16_384)],
    kind: Annotated[AuthType, Query(alias="type")],
) -> list[str]:
    """Name the accounts that something proves: any for who manages accounts, else one's own."""
    return await _proven(conn, caller, kind, identity_key)


@by_identity.get("/{identity_key:path}/{type}/accounts", dependencies=[Json])
async def accounts_of_path(
    identity_key: str, kind: Annotated[str, Path(alias="type")], caller: RucioCaller, conn: RucioTransaction
) -> list[str]:
    """The same, asked as it was formerly: a name in a certificate is in the path."""
    return await _proven(conn, caller, kind.upper(), identity_key)


async def _proven(conn: Connection, caller: Principal, kind: str, identity_key: str) -> list[str]:
    proof = KINDS.get(kind)
    found = await identities.proofs_by(conn, caller, subject(kind, identity_key), kind=proof) if proof else []
    return sorted({one.account for one in found})


@by_identity.put("/{account}/x509", status_code=201)
async def give_name(account: str, request: Request, caller: RucioCaller, deployment: Deployed) -> Response:
    """Let the name in the certificate that the client has shown to the proxy in front prove an account."""
    chain = client_certificate(request, deployment.trusted_proxies)
    if chain is None:
        raise CannotGetDn
    person = await identity.certificate_person(deployment, chain)
    async with deployment.database.transaction(caller.vos) as conn:
        await identities.add_certificate_name(conn, caller, account, person.dn)
    return Response("Created", 201)


@by_identity.put("/{account}/userpass", status_code=201)
async def give_password(
    account: str,
    caller: RucioCaller,
    deployment: Deployed,
    x_rucio_username: Annotated[str, Header(max_length=100)] = "",
    x_rucio_password: Annotated[str | None, Header(max_length=1024)] = None,
) -> Response:
    """Let a first password prove an account."""
    password = None if x_rucio_password is None else translate.secret_of(x_rucio_password)
    body = IdentityIn(identity=x_rucio_username, authtype="USERPASS", password=password)
    await prove(deployment, caller, account, body)
    return Response("Created", 201)
