"""Who calls, and what a call may ask for: Rucio's counterparts of those in `kit.web`."""

from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Annotated, Any, cast

from fastapi import Depends, Header, Request
from pydantic import BaseModel, Field

from sancho.compat.rucio import lfns_translate as lfns
from sancho.compat.rucio import rses_translate as say
from sancho.compat.rucio import translate
from sancho.compat.rucio.endpoints import meaning
from sancho.compat.rucio.errors import NotAcceptable, NotServed, TokenMissing, VoUnclear
from sancho.dids.errors import DidMalformed
from sancho.kit.access import INSTANCE, Principal, refuse_machines, require
from sancho.kit.db import Connection, all_vos
from sancho.kit.deployment import Deployment
from sancho.kit.web import Deployed, principal_of
from sancho.rses import service as rses
from sancho.rses.errors import RseNotFound
from sancho.vos import service as vos
from sancho.vos.errors import NotYourConfiguration
from sancho.vos.model import VO, Document, Kind, Spec

RSE = "RSE"
"""The kind of documents that make RSEs."""


def token_of(request: Request) -> str:
    """The token that came with a request; raises `TokenMissing`."""
    token = request.headers.get("x-rucio-auth-token", "").strip()
    if not token:
        raise TokenMissing
    return token


async def rucio_caller(request: Request) -> Principal:
    """The account behind `X-Rucio-Auth-Token`; `Authorization` is not looked at."""
    principal = await principal_of(request, token_of(request))
    refuse_machines(principal)
    if said := cast(tuple[str, ...], request.scope.get(lfns.SAID, ())):
        await check_vo(request, principal, said)
    return principal


async def check_vo(request: Request, caller: Principal, said: tuple[str, ...]) -> None:
    """Raise `DidMalformed` unless names that were spelled as paths are of the caller's VO."""
    names: tuple[str | None, ...] = (caller.vo_name,)
    if set(said) != {caller.vo_name}:
        deployment = cast(Deployment, request.app.state.deployment)
        async with deployment.database.transaction([INSTANCE]) as conn:
            names += tuple(vo.alias for vo in await vos.list_vos(conn) if vo.vo == caller.vo)
    lfns.check_vo(said, names)


RucioCaller = Annotated[Principal, Depends(rucio_caller)]


Text = Annotated[str, Field(max_length=2000)]


class Asked(BaseModel):
    """What a client says of itself where it asks for a token."""

    x_rucio_vo: Text | None = None
    x_rucio_account: Text | None = None
    x_rucio_username: Text = ""
    x_rucio_password: Text = ""
    x_rucio_ssh_signature: Annotated[str, Field(max_length=16_384)] = ""
    x_rucio_client_authorize_polling: Text | None = None
    x_rucio_client_authorize_scope: Text | None = None
    x_rucio_client_fetch_token: Text | None = None

    @property
    def account(self) -> str | None:
        """The account that is asked for, without its VO."""
        return translate.name_and_vo(self.x_rucio_account)[0]

    @property
    def username(self) -> str:
        """The name that goes with a password, without its VO."""
        return translate.name_and_vo(self.x_rucio_username)[0] or ""

    @property
    def vo(self) -> str | None:
        """The VO that is said; by clients that know none, behind the name of the user or account: `alice@belle`."""
        if self.x_rucio_vo not in (None, "", translate.DEFAULT_VO):
            return self.x_rucio_vo
        with_names = (translate.name_and_vo(name)[1] for name in (self.x_rucio_account, self.x_rucio_username))
        return next(filter(None, with_names), self.x_rucio_vo)


Said = Annotated[Asked, Header()]


async def _vo_meant(said: Said, deployment: Deployed) -> VO:
    """The VO that a client means."""
    async with deployment.database.transaction([INSTANCE]) as conn:
        known = await vos.list_vos(conn)
    found = translate.vo_meant(said.vo, known)
    if found is None:
        raise VoUnclear(vo=(said.vo or translate.DEFAULT_VO)[:100])
    return found


Meant = Annotated[VO, Depends(_vo_meant)]
"""The VO that a client says which needs no token."""


async def _transaction(caller: RucioCaller, deployment: Deployed) -> AsyncIterator[Connection]:
    async with deployment.database.transaction(caller.vos) as conn:
        yield conn


async def _snapshot(caller: RucioCaller, deployment: Deployed) -> AsyncIterator[Connection]:
    async with deployment.database.snapshot(caller.vos) as conn:
        yield conn


RucioTransaction = Annotated[Connection, Depends(_transaction, scope="function")]
RucioSnapshot = Annotated[Connection, Depends(_snapshot, scope="request")]
"""For streamed answers: it lives as long as the answer."""


async def refuse_unserved(request: Request, caller: RucioCaller) -> None:  # noqa: ARG001 - it needs a token
    """Raise `NotServed` where the endpoint that a path means is not served, though a route of ours fits it too."""
    path = request.url.path.removeprefix("/rucio")
    meant = meaning(request.method, path)
    if meant is not None and meant.state == "refused":
        raise NotServed(method=request.method, path=path[:200])


@dataclass(frozen=True)
class Configuration:
    """The documents that the caller's VO owns, in a transaction in which they may change.

    A call of Rucio that changes what documents say here is a small change of one: it becomes a version of the
    configuration as any other, and needs the same permission.
    """

    conn: Connection
    caller: Principal
    kinds: Sequence[Kind[Any]]

    async def read(self, kind: str, name: str) -> Spec | None:
        """What a document says; nobody changes it before this transaction ends.

        Raises what `put` would, if it is already clear that the caller may change no such document.
        """
        self._require(kind, name)
        await vos.lock_configuration(self.conn)
        return await vos.find_spec(self.conn, self.caller.vo, kind, name)

    async def read_all(self, kind: str, names: Collection[str]) -> dict[str, Spec]:
        """As `read` for several documents of a kind, by name; those that there are."""
        for name in names:
            self._require(kind, name)
        await vos.lock_configuration(self.conn)
        recorded = await vos.documents(self.conn, [self.caller.vo], kind=kind)
        return {one.name: one.spec for one in recorded if one.name in names}

    def _require(self, kind: str, name: str) -> None:
        known = next(k for k in self.kinds if k.name == kind)
        if known.instance and not self.caller.is_instance_admin:
            raise NotYourConfiguration(
                account=self.caller.account, kind=kind, name=name[:200], vo=self.caller.vo_name, field="vo"
            )
        if known.permission is None or not self.caller.may_somewhere(known.permission):
            require(self.caller, "configuration:apply", on=f"{kind}:{name}")

    async def put(self, kind: str, name: str, spec: Spec | None) -> None:
        """Let a document say this, or with None be gone; raises what `vos.service.apply` raises."""
        await self.put_all([(kind, name, spec)])

    async def put_all(self, said: Iterable[tuple[str, str, Spec | None]]) -> None:
        """As `put` for several, by kind and name: all of them or none."""
        changed = [
            Document(kind=kind, name=name, vo=self.caller.vo_name, spec=spec or {}, remove=spec is None)
            for kind, name, spec in said
        ]
        await vos.apply(self.conn, self.caller, changed, self.kinds, comment="by a client of Rucio")

    async def change_rse(self, rse: str, changed: Callable[[Spec], Spec]) -> None:
        """Let the document of an RSE say what `changed` makes of it; raises `RseNotFound`, or what `put` raises."""
        known = await rses.get(self.conn, rse, vo=self.caller.vo)
        spec = await self.read(RSE, rse)
        if spec is None and known.vo == self.caller.vo:
            raise RseNotFound(rse=rse)
        await self.put(RSE, rse, changed(spec or say.first_spec(known)))


Configure = Callable[[], AbstractAsyncContextManager[Configuration]]
"""Opens a configuration; the block around it is its transaction."""


async def _configure(request: Request, caller: RucioCaller, deployment: Deployed) -> Configure:
    @asynccontextmanager
    async def configure() -> AsyncIterator[Configuration]:
        # What the VO `instance` shares concerns every VO.
        vos_served = caller.vos if caller.vo != INSTANCE else tuple(await all_vos(deployment.database))
        kinds = cast(Sequence[Kind[Any]], request.app.state.kinds)
        async with deployment.database.transaction(vos_served) as conn:
            yield Configuration(conn, replace(caller, vos=vos_served), kinds)

    return configure


RucioConfigure = Annotated[Configure, Depends(_configure)]


def gives(media_type: str) -> Callable[[Request], None]:
    """A dependency that raises `NotAcceptable` when a client says what it accepts and this is not among it."""
    kind = media_type.partition("/")[0]

    def check(request: Request) -> None:
        said = request.headers.get("accept", "*/*")
        accepted = {part.partition(";")[0].strip() for part in said.split(",")}
        if not accepted & {media_type, f"{kind}/*", "*/*"}:
            raise NotAcceptable(media_type=media_type)

    return check


def refuse_blanks(request: Request) -> None:
    """Raise `DidMalformed` for a plus sign in a path: so Rucio's clients write a blank, and %2B for the sign."""
    path: bytes = request.scope.get("raw_path") or b""
    if b"+" in path.partition(b"?")[0]:
        raise DidMalformed(did=request.url.path, reason="a '+' in a path is a blank, which no name may have")


def no_blanks(request: Request, _caller: RucioCaller) -> None:
    """The same where it needs a token first."""
    refuse_blanks(request)
