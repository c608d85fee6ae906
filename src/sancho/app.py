"""The composition root: the only module that knows every feature."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from sancho.accounting import api as accounting_api
from sancho.accounting.personal import PERSONAL as ACCOUNTING_PERSONAL
from sancho.compat.diracx import api as diracx_api
from sancho.compat.rucio import api as rucio_api
from sancho.decisions import api as decisions_api
from sancho.decisions import service as decisions
from sancho.decisions.personal import PERSONAL as DECISIONS_PERSONAL
from sancho.dids import api as dids_api
from sancho.dids import service as dids
from sancho.dids.personal import PERSONAL as DIDS_PERSONAL
from sancho.explain import api as explain_api
from sancho.identity import api as identity_api
from sancho.identity import service as identity
from sancho.identity.personal import PERSONAL as IDENTITY_PERSONAL
from sancho.jobs import api as jobs_api
from sancho.jobs import service as jobs
from sancho.jobs.personal import PERSONAL as JOBS_PERSONAL
from sancho.kit import objects_api, problem, routes, telemetry
from sancho.kit.admission import InTurn, Limited, Limits, Ways
from sancho.kit.db import DatabaseAway, fetch_value
from sancho.kit.deployment import Deployment
from sancho.kit.fair import Turns
from sancho.kit.middleware import Audited, Gate, Observed
from sancho.kit.personal import PersonalData
from sancho.matching import service as matching
from sancho.matching.tasks import following
from sancho.onboarding import api as onboarding_api
from sancho.parts import KINDS, following_shares, make_deployment
from sancho.pilots import api as pilots_api
from sancho.pilots import service as pilots
from sancho.programs import api as programs_api
from sancho.replicas import api as replicas_api
from sancho.replicas.personal import PERSONAL as REPLICAS_PERSONAL
from sancho.rses import api as rses_api
from sancho.rses import service as rses
from sancho.rules import api as rules_api
from sancho.rules import service as rules
from sancho.rules.personal import PERSONAL as RULES_PERSONAL
from sancho.settings import Settings
from sancho.sharing import api as sharing_api
from sancho.sites import api as sites_api
from sancho.transfers import api as transfers_api
from sancho.uploads import api as uploads_api
from sancho.uploads.personal import PERSONAL as UPLOADS_PERSONAL
from sancho.vos import api as vos_api
from sancho.vos.personal import PERSONAL as VOS_PERSONAL
from sancho.web import api as web_api

ROUTERS: Sequence[APIRouter] = (
    *pilots_api.ROUTERS, *dids_api.ROUTERS,
    *replicas_api.ROUTERS, *jobs_api.ROUTERS, vos_api.router, *identity_api.ROUTERS,
    decisions_api.router, sites_api.router, rses_api.router, accounting_api.router, sharing_api.router,
    transfers_api.router, *rules_api.ROUTERS, uploads_api.router, objects_api.router, onboarding_api.router,
    programs_api.router, explain_api.router, web_api.extensions,
)  # fmt: skip
"""Every native route, all below /v1."""

PERSONAL: tuple[PersonalData, ...] = (
    IDENTITY_PERSONAL, VOS_PERSONAL, DECISIONS_PERSONAL, JOBS_PERSONAL, RULES_PERSONAL, UPLOADS_PERSONAL,
    DIDS_PERSONAL, ACCOUNTING_PERSONAL, REPLICAS_PERSONAL,
)  # fmt: skip
"""What each feature holds of a person."""

FACTS = decisions.Facts(
    owners={"did": dids.owners, "job": jobs.owners, "rule": rules.owners},
    obstacles=dict.fromkeys(("dids:create", "jobs:create", "replicas:create", "uploads:create"), dids.obstacle),
)
"""What features know, for whoever asks what they may do with a thing."""
DIALECTS: problem.Dialects = {**diracx_api.DIALECTS, **rucio_api.DIALECTS}
"""How errors are said to foreign clients, by the paths that they use."""

PUBLIC_PATHS = frozenset(
    {
        "/v1/health/live", "/v1/health/ready", "/metrics", "/v1/auth/token", "/v1/auth/revoke", "/v1/auth/ways",
        "/v1/auth/authorize", "/v1/auth/login", "/v1/auth/callback/{vo}/{provider}",
        "/v1/auth/device", "/v1/auth/device_authorization",
        "/v1/public/{vo}/dids", "/v1/public/{vo}/dids/{did:path}", "/v1/public/{vo}/files/{did:path}",
        "/v1/pilot/login", "/v1/objects/{key:path}", "/.well-known/openid-configuration", "/.well-known/jwks.json",
        "/.well-known/oauth-authorization-server", *diracx_api.PUBLIC_PATHS,
        "/", "/ui/session", "/ui/session/renewal", "/ui/assets/{name}", web_api.HOST_MODULE,
        "/ui/extensions/{digest}/{path:path}", "/ui/{path:path}",
        *rucio_api.PUBLIC_PATHS,
    }
)  # fmt: skip
"""Routes that need no token; a test finds every other one that asks for none."""

AROUND = 65_536
"""Bytes that a form may have around its file."""
FREE, MACHINES = ("/v1/health/", "/metrics"), ("/v1/pilot/", "/v1/objects/")
"""Paths that have no limit of requests, and those that programs ask without a token."""
LOGINS = ("/v1/auth/", "/rucio/auth/", "/api/auth/", "/ui/session")
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


def create_app(settings: Settings | None = None, deployment: Deployment | None = None) -> FastAPI:
    """The API of one process. Its deployment is opened and closed with it."""
    settings = settings or Settings()
    made = deployment or make_deployment(settings, "api")

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await made.database.open()
        async with following_shares(made), following(made.database, app.state.matcher):
            yield
        app.state.news.close()
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
    app.state.matcher = matching.matcher_of(made.shares)
    app.state.news = jobs.News(made.database)
    app.state.settings = settings
    app.state.kinds = KINDS
    app.state.personal = PERSONAL
    app.state.targets = (partial(rses.reading_token, made.signer),)
    app.state.facts = FACTS
    app.state.diracx_answers = diracx_api.Answers()
    app.state.authenticator = identity.Authenticators(
        made.database,
        identity.issuer_of(made),
        rights=decisions.rights_of(made.extensions),
        machines=pilots.Machines(),
    )
    routers = (
        health,
        *ROUTERS,
        *identity_api.PUBLIC_ROUTERS,
        *diracx_api.ROUTERS,
        *rucio_api.ROUTERS,
        *web_api.ROUTERS,
    )
    routes.serve(app, routers)
    web_api.install(app, made)
    problem.install(app, DIALECTS)
    _guard(app, settings, made)
    return app


def _guard(app: FastAPI, settings: Settings, deployment: Deployment) -> None:
    """What stands around the routes, from the inside out."""
    fair, streamed = settings.fair, {"/v1/objects/": settings.objects.max_size + AROUND}
    turns = Turns(fair.at_once, room=fair.waiting, weigh=deployment.shares)
    strangers = Turns(fair.at_once, room=fair.waiting)
    limits = Limits(
        account=fair.account, vo=fair.vo, pilots=fair.pilots, address=fair.address, logins=fair.logins,
        burst=fair.burst,
    )  # fmt: skip
    ways = Ways(free=FREE, logins=LOGINS, machines=MACHINES, proxies=deployment.trusted_proxies, dialects=DIALECTS)
    app.add_middleware(rucio_api.Lfns)
    app.add_middleware(Audited, database=deployment.database, proxies=deployment.trusted_proxies)
    app.add_middleware(InTurn, turns=turns, strangers=strangers, streamed=tuple(streamed), dialects=DIALECTS)
    app.add_middleware(Gate, limit=settings.max_body, streamed=streamed, dialects=DIALECTS)
    app.add_middleware(Observed)
    app.add_middleware(  # outside of what observes, since a refusal must cost next to nothing; it counts by itself
        Limited, limits=limits, ways=ways, authenticator=app.state.authenticator, shares=deployment.shares
    )
