"""All of Rucio's routes that are served, and how errors are said below them."""

from collections.abc import Sequence

from fastapi import APIRouter

from sancho.compat.rucio import accounts, auth, ping, refused
from sancho.compat.rucio.errors import render

PREFIX = "/rucio"
DIALECT = render
ROUTERS: Sequence[APIRouter] = (ping.router, auth.router, auth.pages, accounts.router, refused.router)
"""Served under the prefix; the last one answers whatever the others do not."""
PUBLIC_PATHS = frozenset(
    {f"{PREFIX}{path}" for path in ("/ping", "/ping/")}
    | {
        f"{PREFIX}/auth/{way}"
        for way in (
            "gss", "oidc", "oidc_code", "oidc_redirect", "oidc_refresh", "ssh", "ssh_challenge_token", "userpass",
            "x509", "x509/webui", "x509_proxy",
        )
    }
)  # fmt: skip
"""Routes that need no token, and the one that takes what may have ended."""
