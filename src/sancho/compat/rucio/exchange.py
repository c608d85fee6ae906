"""Rucio's export and import: RSEs with their attributes, protocols and links, and accounts, as a whole.

An import is a set of small changes of documents, applied at once: it adds and changes, and removes nothing. Who takes
RSEs in administers the installation, which owns them; who takes accounts in may make them in the VO.
"""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response

from sancho.compat.rucio import exchange_body as say
from sancho.compat.rucio import identities_body, rses_translate, translate
from sancho.compat.rucio.accounts_wire import IdentityIn
from sancho.compat.rucio.body import body_as
from sancho.compat.rucio.caller import RSE, Configuration, RucioCaller, RucioConfigure, RucioSnapshot, gives
from sancho.compat.rucio.exchange_body import AccountData, DataIn
from sancho.identity import service as identity
from sancho.identity.model import Account
from sancho.identity.service import identities as proofs
from sancho.rses import service as rses
from sancho.rses.errors import RseNotFound
from sancho.rses.model import Rse
from sancho.sites import service as sites
from sancho.vos.model import Spec

going_out = APIRouter(prefix="/rucio/export", include_in_schema=False)
coming_in = APIRouter(prefix="/rucio/import", include_in_schema=False)
JSON = [Depends(gives("application/json"))]
ACCOUNT = "Account"
NEW_ACCOUNTS_GROUP = "users"
PAGE = 1000


@going_out.get("", dependencies=JSON)
@going_out.get("/", dependencies=JSON)
async def export(caller: RucioCaller, conn: RucioSnapshot, distance: bool = True) -> dict[str, Any]:
    """Show all RSEs that the VO sees, by name, and what transfers between them cost."""
    known = {rse.rse_id: rse for rse in await rses.rses(conn)}
    said: dict[str, Any] = {"rses": {rse.name: say.exported(rse, caller.vo_name) for rse in known.values()}}
    return {**said, "distances": say.links(known, await rses.distances(conn))} if distance else said


@coming_in.post("", status_code=201)
@coming_in.post("/", status_code=201)
async def take_in(configure: RucioConfigure, body: Annotated[DataIn, Depends(body_as(DataIn))]) -> Response:
    """Make or change RSEs, links and accounts: all of what is said, or nothing."""
    async with configure() as config:
        changed = [*await _rses(config, body), *await _accounts(config, body.accounts)]
        if changed:
            await config.put_all(changed)
        await _prove(config, body.accounts)
    return Response("Created", 201)


async def _rses(config: Configuration, body: DataIn) -> list[tuple[str, str, Spec | None]]:
    names = [*dict.fromkeys([*body.rses, *body.distances])]
    if not names:
        return []
    recorded = await config.read_all(RSE, names)
    known = {rse.name: rse for rse in await rses.rses(config.conn, vo=config.caller.vo)}
    costs = say.links({rse.rse_id: rse for rse in known.values()}, await rses.distances(config.conn))
    places = {site.name for site in await sites.sites(config.conn)}
    changed: dict[str, Spec] = {}
    new_sites: dict[str, Spec] = {}
    for name in names:
        said, now = body.rses.get(name), known.get(name)
        if now is None and said is None:
            raise RseNotFound(rse=name[:100])
        spec = recorded.get(name) or _first(now)
        if now is None and said is not None:
            spec = {"site": say.site_of(name, said)}
        after = spec if said is None else say.merged(spec, now, name, said, config.caller.vo_name)
        after = say.linked(after, costs.get(name, {}), body.distances.get(name, {}))
        if after["site"] not in places:
            new_sites[after["site"]] = {}
        if now is not None and name not in recorded and after != spec:
            raise RseNotFound(rse=name)  # no document made it, so none can say what it is
        if after != spec or now is None:
            changed[name] = after
    return [*(("Site", name, spec) for name, spec in new_sites.items()), *((RSE, n, s) for n, s in changed.items())]


def _first(rse: Rse | None) -> Spec:
    return {} if rse is None else rses_translate.first_spec(rse)


async def _accounts(config: Configuration, said: Sequence[AccountData]) -> list[tuple[str, str, Spec | None]]:
    if not said:
        return []
    recorded = await config.read_all(ACCOUNT, [one.account for one in said])
    known = await _known(config, {one.account for one in said})
    groups = {group.name for group in await identity.groups(config.conn, config.caller.vo)}
    changed: list[tuple[str, str, Spec | None]] = []
    for one in said:
        told = {"account_type": one.type, **({"email": one.email} if one.email is not None else {})}
        if (now := known.get(one.account)) is None:
            kind = (one.type or "USER").lower()
            first: Spec = {"kind": kind, "groups": sorted(groups & {NEW_ACCOUNTS_GROUP})}
            changed.append((ACCOUNT, one.account, first if one.email is None else {**first, "email": one.email}))
        elif told["account_type"] not in (None, now.kind.name) or told.get("email", now.email) != now.email:
            changed.append((ACCOUNT, one.account, translate.account_spec(now, recorded.get(one.account), told)))
    return changed


async def _known(config: Configuration, names: set[str]) -> dict[str, Account]:
    found: dict[str, Account] = {}
    after = ""
    while page := await identity.list_accounts(config.conn, config.caller.vo, after=after, limit=PAGE):
        found |= {account.name: account for account in page if account.name in names}
        after = page[-1].name
    return found


async def _prove(config: Configuration, said: Sequence[AccountData]) -> None:
    """Let what is said prove accounts, but for what does already."""
    for one in said:
        if not one.identities:
            continue
        known = await proofs.list_identities(config.conn, config.caller, one.account)
        for proof in one.identities:
            body = IdentityIn(identity=proof.identity, authtype=proof.type)
            if identities_body.subject(body.authtype, body.identity) not in {each.subject for each in known}:
                await identities_body.add_proof(config.conn, config.caller, one.account, body)
