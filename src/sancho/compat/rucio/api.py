"""All of Rucio's routes that are served, and how errors are said below them."""

from collections.abc import Sequence

from fastapi import APIRouter

from sancho.compat.rucio import (
    accounts,
    archives,
    auth,
    bad_replicas,
    config,
    conventions,
    credentials,
    dids,
    dids_lists,
    dids_making,
    dirac,
    exchange,
    following,
    heartbeats,
    identities,
    keeping,
    limits,
    lives,
    metadata,
    opendata,
    ping,
    refused,
    replicas,
    requests,
    rses,
    rses_changes,
    rses_protocols,
    rules,
    rules_changes,
    scopes,
    traces,
    troubles,
    vos,
)
from sancho.compat.rucio.dialect import render
from sancho.compat.rucio.lfns import Lfns
from sancho.kit.problem import Dialects

__all__ = ["DIALECTS", "PUBLIC_PATHS", "ROUTERS", "Lfns"]

DIALECTS: Dialects = {"/rucio/": render}
"""How errors are said below this path."""
ROUTERS: Sequence[APIRouter] = (
    ping.router, auth.router, auth.pages, accounts.router,
    identities.router, identities.by_identity, limits.router, limits.legacy, limits.of_rses,
    rses.router, rses_changes.router, rses_protocols.router, traces.grid, traces.elsewhere,
    troubles.router, bad_replicas.router, replicas.router, replicas.redirects, dirac.router,
    requests.router, rules_changes.router, rules.router, rules.of_accounts, rules.of_dids, rules.locks,
    scopes.router, scopes.of_accounts, archives.router, following.router, lives.router, metadata.router,
    dids_lists.router, dids.router, dids_making.router, conventions.router, config.router, credentials.router,
    opendata.public, opendata.router, keeping.router, heartbeats.router, vos.router, exchange.going_out,
    exchange.coming_in, refused.router,
)  # fmt: skip
"""The last one answers whatever the others do not; one whose paths end in words goes before what takes any name."""
PUBLIC_PATHS = frozenset(
    {
        "/rucio/ping", "/rucio/ping/", "/rucio/traces/", "/rucio/nongrid_traces/", "/rucio/opendata/public/dids",
        "/rucio/opendata/public/dids/", "/rucio/opendata/public/dids/{scope}/{name:path}",
    }
    | {
        f"/rucio/auth/{way}"
        for way in (
            "gss", "oidc", "oidc_code", "oidc_redirect", "oidc_refresh", "ssh", "ssh_challenge_token", "userpass",
            "x509", "x509/webui", "x509_proxy",
        )
    }
)  # fmt: skip
"""Routes that need no token, and the one that takes what may have ended."""
