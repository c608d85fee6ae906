"""The composition root: the only module that knows every feature."""

import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from sancho.accounting import api as accounting_api
from sancho.accounting.personal import PERSONAL as ACCOUNTING_PERSONAL
from sancho.compat.diracx import api as diracx_api
from sancho.compat.rucio import api as rucio_api
from sancho.decisions import api as decisions_api
from sancho.decisions import service as decisions
from sancho.decisions.kinds import KINDS as DECISIONS_KINDS
from sancho.decisions.personal import PERSONAL as DECISIONS_PERSONAL
from sancho.decisions.tasks import tasks as decisions_tasks
from sancho.dids import api as dids_api
from sancho.dids import service as dids
from sancho.dids.kinds import KINDS as DIDS_KINDS
from sancho.dids.personal import PERSONAL as DIDS_PERSONAL
from sancho.dids.tasks import tasks as dids_tasks
from sancho.identity import api as identity_api
from sancho.identity import service as identity
from sancho.identity.kinds import KINDS as IDENTITY_KINDS
from sancho.identity.personal import PERSONAL as IDENTITY_PERSONAL
from sancho.identity.tasks import tasks as identity_tasks
from sancho.jobs import api as jobs_api
from sancho.jobs import service as jobs
from sancho.jobs.personal import PERSONAL as JOBS_PERSONAL
from sancho.jobs.tasks import tasks as jobs_tasks
from sancho.kit import objects_api, problem, telemetry, web
from sancho.kit.admission import InTurn, Limited, Limits, Ways
from sancho.kit.breached import BreachedPasswords
from sancho.kit.db import Database, DatabaseAway, fetch_value
from sancho.kit.deployment import Deployment
from sancho.kit.extensions import Extensions
from sancho.kit.fair import Shares, Turns
from sancho.kit.middleware import Audited, Gate, Observed
from sancho.kit.object_stores import CloudObjects, LocalObjects
from sancho.kit.objects import Objects
from sancho.kit.personal import PersonalData
from sancho.kit.search import SearchField
from sancho.kit.secrets import Secrets
from sancho.kit.tasks import Tasks
from sancho.onboarding import api as onboarding_api
from sancho.pilots import api as pilots_api
from sancho.pilots import service as pilots
from sancho.pilots.tasks import tasks as pilots_tasks
from sancho.replicas import api as replicas_api
from sancho.replicas.tasks import tasks as replicas_tasks
from sancho.rses import api as rses_api
from sancho.rses import service as rses
from sancho.rses.kinds import KINDS as RSES_KINDS
from sancho.rules import api as rules_api
from sancho.rules import service as rules
from sancho.rules.kinds import KINDS as RULES_KINDS
from sancho.rules.personal import PERSONAL as RULES_PERSONAL
from sancho.rules.tasks import tasks as rules_tasks
from sancho.settings import Settings
from sancho.sharing import api as sharing_api
from sancho.sharing.kinds import KINDS as SHARING_KINDS
from sancho.sites import api as sites_api
from sancho.sites.kinds import KINDS as SITES_KINDS
from sancho.transfers import api as transfers_api
from sancho.transfers.tasks import tasks as transfers_tasks
from sancho.uploads import api as uploads_api
from sancho.uploads.personal import PERSONAL as UPLOADS_PERSONAL
from sancho.uploads.tasks import tasks as uploads_tasks
from sancho.vos import api as vos_api
from sancho.vos import tasks as vos_tasks
from sancho.vos.kinds import KINDS as VOS_KINDS
from sancho.vos.model import Kind
from sancho.vos.personal import PERSONAL as VOS_PERSONAL

KINDS: tuple[Kind[Any], ...] = (
    *VOS_KINDS, *IDENTITY_KINDS, *DECISIONS_KINDS, *SITES_KINDS, *RSES_KINDS, *DIDS_KINDS, *RULES_KINDS,
    *SHARING_KINDS,
)  # fmt: skip
"""Every kind of configuration document."""

TASKS: tuple[Tasks, ...] = (
    decisions_tasks, identity_tasks, dids_tasks, jobs_tasks, pilots_tasks, replicas_tasks, rules_tasks, transfers_tasks,
    uploads_tasks,
)  # fmt: skip
"""Every background task."""

ROUTERS: Sequence[APIRouter] = (
    pilots_api.public_router, pilots_api.router,  # asked most often, so looked at first
    vos_api.router, *identity_api.ROUTERS, decisions_api.router, sites_api.router, rses_api.router,
    accounting_api.router, *dids_api.ROUTERS, replicas_api.router, sharing_api.router, transfers_api.router,
    rules_api.router, uploads_api.router, jobs_api.router, objects_api.router, onboarding_api.router,
)  # fmt: skip
"""Every native route, served under /v1."""

PERSONAL: tuple[PersonalData, ...] = (
    IDENTITY_PERSONAL, VOS_PERSONAL, DECISIONS_PERSONAL, JOBS_PERSONAL, RULES_PERSONAL, UPLOADS_PERSONAL,
    DIDS_PERSONAL, ACCOUNTING_PERSONAL,
)  # fmt: skip
"""What each feature holds of a person."""

SEARCH_FIELDS: tuple[SearchField, ...] = jobs.SEARCH_FIELDS
"""What DIDs may be searched by, beside what the namespace itself knows of them."""

OWNERS: Mapping[str, decisions.OwnerOf] = {"did": dids.owners, "job": jobs.owners, "rule": rules.owners}
"""Who owns a thing, by its kind, for whoever asks what they may do with it."""
DIALECTS: problem.Dialects = {**diracx_api.DIALECTS, **rucio_api.DIALECTS}
"""How errors are said to foreign clients, by the paths that they use."""

PUBLIC_PATHS = frozenset(
    {
        "/v1/health/live", "/v1/health/ready", "/metrics", "/v1/auth/token", "/v1/auth/revoke", "/v1/auth/ways",
        "/v1/auth/authorize", "/v1/auth/login", "/v1/auth/callback/{vo}/{provider}",
        "/v1/auth/device", "/v1/auth/device_authorization",
        "/v1/pilot/login", "/v1/objects/{key:path}", "/.well-known/openid-configuration", "/.well-known/jwks.json",
        "/.well-known/oauth-authorization-server", *diracx_api.PUBLIC_PATHS,
        *rucio_api.PUBLIC_PATHS,
    }
)  # fmt: skip
"""Routes that need no token; a test finds every other one that asks for none."""

FREE, MACHINES = ("/v1/health/", "/metrics"), ("/v1/pilot/", "/v1/objects/")
"""Paths that have no limit of requests, and those that programs ask without a token."""
LOGINS = ("/v1/auth/", "/rucio/auth/", "/api/auth/")
"""Paths of logins, with a limit of their own."""

health = APIRouter(tags=["health"])


@health.get("/v1/health/live")
async def live() -> dict[str, str]:
    """Say that this process runs."""
    return {"status": "alive"}


@health.get("/v1/health/ready", responses=problem.problems(DatabaseAway))
async def ready(request: Request) -> dict[str, str]:
    """Say that this process can serve: the database answers."""
    deployment: Deployment = request.app.state.deployment
    async with deployment.database.transaction([0]) as conn:
        await fetch_value(conn, "SELECT 1")
    return {"status": "ready"}


@health.get("/metrics", response_class=PlainTextResponse)
async def metrics() -> Response:
    """Measurements of this process, for Prometheus."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


def make_deployment(settings: Settings) -> Deployment:
    """Put together what requests and tasks need; opens nothing. Raises `BreachedListUnfit`."""
    shares = Shares(machines=settings.fair.pilots_weight)
    extensions, certificates = Extensions(), settings.certificates
    return Deployment(
        database=Database(
            settings.database_url.get_secret_value(),
            size=settings.database_connections,
            weigh=shares,
            before_commit=decisions.write_down,
        ),
        public_url=settings.public_url.rstrip("/"),
        signer=identity.Issuer(
            settings.keys,
            settings.public_url.rstrip("/"),
            access=settings.tokens.access,
            refresh=settings.tokens.refresh,
        ),
        extensions=extensions,
        secrets=Secrets(
            settings.secrets.given, settings.secrets.folder, settings.secrets.command, settings.secrets.command_timeout
        ),
        objects=_objects(settings),
        kinds=KINDS,
        search_fields=SEARCH_FIELDS,
        ca_file=None if settings.ca_file is None else str(settings.ca_file),
        shares=shares,
        breached=breached_passwords(settings),
        trusted_proxies=settings.trusted_proxies,
        certificates=extensions.get("sancho.certificate", certificates.plugin, certificates.settings)
        if certificates.plugin
        else None,
    )


def breached_passwords(settings: Settings) -> BreachedPasswords | None:
    """The list of passwords that were stolen elsewhere, if there is one; raises `BreachedListUnfit`."""
    return None if settings.breached_passwords is None else BreachedPasswords(settings.breached_passwords)


def following_shares(deployment: Deployment) -> AbstractAsyncContextManager[None]:
    """Keep what VOs count as the newest configuration has it, while the block runs."""
    return vos_tasks.following_shares(deployment.database, deployment.shares)


def _objects(settings: Settings) -> Objects:
    if settings.objects.url is not None and not settings.objects.url.startswith("file:"):
        return CloudObjects(settings.objects.url)
    secret = _secret(settings.objects.signing_key_file or settings.state_dir / "objects.key")
    folder = settings.objects.folder or settings.state_dir / "objects"
    return LocalObjects(folder, f"{settings.public_url.rstrip('/')}/v1/objects", secret)


def _secret(path: Path) -> bytes:
    """Read a secret file, made on first use; only we may read it."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        scratch = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        scratch.touch(mode=0o600)
        scratch.write_bytes(secrets.token_bytes(32))
        scratch.replace(path)
    return path.read_bytes()


def create_app(settings: Settings | None = None, deployment: Deployment | None = None) -> FastAPI:
    """The API of one process. Its deployment is opened and closed with it."""
    settings = settings or Settings()
    made = deployment or make_deployment(settings)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await made.database.open()
        async with following_shares(made):
            yield
        await made.extensions.aclose()
        await made.database.close()
        telemetry.flush()  # here, because a server that was told to end by a signal never returns

    app = FastAPI(
        title="Sancho", version="1", lifespan=lifespan, docs_url="/docs", openapi_url="/openapi.json",
        description="Jobs and data of scientific computing grids.",
        # FastAPI's own spans hold the queries of URLs, so the signatures of presigned ones; `Observed` makes ours.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )  # fmt: skip
    app.state.deployment = made
    app.state.settings = settings
    app.state.kinds = KINDS
    app.state.personal = PERSONAL
    app.state.targets = (partial(rses.reading_token, made.signer),)
    app.state.owners = OWNERS
    app.state.authenticator = identity.Authenticators(
        made.database,
        identity.issuer_of(made),
        rights=decisions.rights_of(made.extensions),
        machines=pilots.Machines(),
    )
    app.include_router(health)
    for router in (*diracx_api.ROUTERS, *rucio_api.ROUTERS):  # branches all, so they are quickly passed by
        app.include_router(router)
    for router in ROUTERS:
        app.include_router(router, prefix="/v1", dependencies=[Depends(web.check_parameters)])
    for router in identity_api.PUBLIC_ROUTERS:
        app.include_router(router)
    problem.install(app, DIALECTS)
    _guard(app, settings, made)
    return app


def _guard(app: FastAPI, settings: Settings, deployment: Deployment) -> None:
    """What stands around the routes, from the inside out."""
    fair, streamed = settings.fair, {"/v1/objects/": settings.objects.max_size}
    turns = Turns(fair.at_once, room=fair.waiting, weigh=deployment.shares)
    strangers = Turns(fair.at_once, room=fair.waiting)
    limits = Limits(
        account=fair.account, vo=fair.vo, pilots=fair.pilots, address=fair.address, logins=fair.logins,
        burst=fair.burst,
    )  # fmt: skip
    ways = Ways(free=FREE, logins=LOGINS, machines=MACHINES, proxies=deployment.trusted_proxies, dialects=DIALECTS)
    app.add_middleware(Audited, database=deployment.database, proxies=deployment.trusted_proxies)
    app.add_middleware(InTurn, turns=turns, strangers=strangers, streamed=tuple(streamed), dialects=DIALECTS)
    app.add_middleware(Gate, limit=settings.max_body, streamed=streamed, dialects=DIALECTS)
    app.add_middleware(Observed)
    app.add_middleware(  # outside of what observes, since a refusal must cost next to nothing; it counts by itself
        Limited, limits=limits, ways=ways, authenticator=app.state.authenticator, shares=deployment.shares
    )
