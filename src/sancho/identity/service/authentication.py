"""Who is behind a bearer token."""

import hashlib
import re
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, cast

from sancho.identity import plan, store
from sancho.identity.errors import AccountSuspended, LoginEnded, MachineEnded, TokenRevoked
from sancho.identity.model import AccountState, Standing, TokenScope
from sancho.identity.service.tokens import JOB_TOKEN_SCOPE, PILOT_TOKEN_SCOPE, job_audience, pilot_audience
from sancho.kit.access import INSTANCE, Machines, Principal, Rights, RightsOf
from sancho.kit.clock import Clock
from sancho.kit.db import Connection, Database
from sancho.kit.issuer import REMEMBERED, Issuer, TokenInvalid
from sancho.vos import service as vos
from sancho.vos.model import LOWER_NAME

MOST_REMEMBERED = 50_000
EVERYTHING = TokenScope(permissions=None, text=plan.EVERYTHING)


class Authenticators:
    """Turns bearer tokens of users, pilots and jobs into principals; a `kit.access.Authenticator`.

    What a token and its account are is remembered for at most 30 seconds: so soon a suspended account, a changed
    group, a new password or a removed key takes effect, and an ended pilot's or job's token is void. Administrators of
    the installation are few and looked up each time: a VO that was made just now is theirs too.
    """

    def __init__(
        self,
        database: Database,
        issuer: Issuer,
        *,
        rights: RightsOf,
        machines: Machines | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Check tokens by `issuer`, look accounts up in `database`, and what policies say of them by `rights`.

        Without `machines`, no pilot and no job is known.
        """
        self._rights = rights
        self._machines = machines
        self._database = database
        self._issuer = issuer
        self._clock = clock or issuer.clock
        self._known: OrderedDict[bytes, tuple[float, Principal, Mapping[str, Any]]] = OrderedDict()
        self._vos: dict[str, int] = {}

    async def authenticate(self, token: str) -> Principal:
        """Say who a token stands for; raises `TokenInvalid`, `TokenExpired`, `TokenRevoked` or `AccountSuspended`."""
        now = self._clock.now().timestamp()
        digest = hashlib.sha256(token.encode(errors="replace")).digest()
        known = self._known.get(digest)
        if known is not None and now < known[0] and not self._issuer.is_void(known[2]):
            return known[1]
        self._known.pop(digest, None)
        claims = self._issuer.check(token)
        principal = await self._principal(claims)
        if principal.vo == INSTANCE and principal.pilot_id is None:
            return principal
        marks = {name: claims.get(name) for name in ("jti", "sid")}
        self._known[digest] = min(now + REMEMBERED.total_seconds(), claims["exp"]), principal, marks
        while len(self._known) > MOST_REMEMBERED:
            self._known.popitem(last=False)
        return principal

    async def _principal(self, claims: Mapping[str, Any]) -> Principal:
        audience, purpose = claims.get("aud"), claims.get("scope")
        if audience == pilot_audience(self._issuer.issuer) and purpose == PILOT_TOKEN_SCOPE:
            return await self._pilot(claims)
        if audience == job_audience(self._issuer.issuer) and purpose == JOB_TOKEN_SCOPE:
            return await self._job(claims)
        # The scope too: the audience of a storage is whatever its operator wrote into a document.
        scope = plan.token_scope(purpose) if isinstance(purpose, str) and purpose else ""
        if audience != self._issuer.issuer or isinstance(scope, str):
            raise TokenInvalid(reason="it is meant for another audience")
        vo_name, _, account = str(claims.get("sub", "")).partition(":")
        vo = (await self._vo_ids(vo_name)).get(vo_name) if re.fullmatch(LOWER_NAME, account) else None
        standing, rights = None, Rights()
        if vo is not None:
            ids = [claims[name] for name in ("jti", "sid") if name in claims]
            async with self._database.transaction([vo]) as conn:
                standing = await store.standing(conn, vo, account, groups=scope.groups, token_ids=ids)
                rights = await self._rights(conn, vo, standing.account_id) if standing else rights
        if vo is None or standing is None:
            raise TokenInvalid(reason="its account does not exist")
        if standing.state is not AccountState.ACTIVE:
            raise AccountSuspended(account=account, vo=vo_name)
        if standing.revoked:
            raise LoginEnded(account=account)
        # Tokens know whole seconds only, so one that was issued in the second of the change passes.
        if standing.proven_since is not None and claims["iat"] < int(standing.proven_since.timestamp()):
            raise TokenRevoked(account=account)
        return await self._user(vo, vo_name, standing, account=account, scope=scope, rights=rights)

    async def principal_of(self, conn: Connection, vo: int, vo_name: str, account: str) -> Principal | None:
        """The principal that an account of a VO would be now; None when there is none, or it is suspended."""
        standing = await store.standing(conn, vo, account)
        if standing is None or standing.state is not AccountState.ACTIVE:
            return None
        rights = await self._rights(conn, vo, standing.account_id)
        return await self._user(vo, vo_name, standing, account=account, scope=EVERYTHING, rights=rights)

    async def _user(
        self, vo: int, vo_name: str, standing: Standing, *, account: str, scope: TokenScope, rights: Rights
    ) -> Principal:
        served, permissions = (vo,), plan.allowed(scope, standing.permissions)
        if vo == INSTANCE and "*" in permissions:
            served = tuple(sorted((await self._read_vos()).values()))  # VOs may have come since
        return Principal(
            vo=vo,
            vo_name=vo_name,
            account_id=standing.account_id,
            account=account,
            groups=standing.groups,
            permissions=permissions,
            vos=served,
            rights=rights,
            limit=scope.permissions,
        )

    async def _pilot(self, claims: Mapping[str, Any]) -> Principal:
        vo, pilot_id = cast(int, claims["vo_id"]), cast(int, claims["pilot_id"])
        login = str(claims.get("login", ""))
        if self._machines is None or not await self._machines.is_good(self._database, vo, pilot_id, login):
            raise MachineEnded(who=str(claims["sub"]))
        return Principal(
            vo=vo,
            vo_name=await self._vo_name(vo),
            account_id=0,
            account=str(claims["sub"]),
            permissions=frozenset({"pilots:report"}),
            vos=tuple(sorted({vo, *cast(list[int], claims["vos"])})),
            pilot_id=pilot_id,
            ce_id=cast("int | None", claims.get("ce_id")),
        )

    async def _job(self, claims: Mapping[str, Any]) -> Principal:
        vo, job_id, attempt_id = (cast(int, claims[name]) for name in ("vo_id", "job_id", "attempt_id"))
        owner = await self._machines.owner(self._database, vo, job_id, attempt_id) if self._machines else None
        if owner is None:
            raise MachineEnded(who=f"job {job_id}")
        return Principal(
            vo=vo,
            vo_name=await self._vo_name(vo),
            account_id=owner,
            account=f"job:{job_id}",
            vos=(vo,),
            limit=frozenset(),
            job_id=job_id,
            attempt_id=attempt_id,
        )

    async def _vo_name(self, vo: int) -> str:
        return next((name for name, number in (await self._vo_ids(None)).items() if number == vo), "")

    async def _vo_ids(self, wanted: str | None) -> Mapping[str, int]:
        """VOs by name: remembered, for they never change, and read again when one is missing."""
        if not self._vos or (wanted is not None and wanted not in self._vos):
            return await self._read_vos()
        return self._vos

    async def _read_vos(self) -> Mapping[str, int]:
        async with self._database.transaction([INSTANCE]) as conn:
            known = {vo.name: vo.vo for vo in await vos.list_vos(conn)}
        self._vos = known
        return known
