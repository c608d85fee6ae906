"""Native routes of identity: accounts and groups, tokens, logins in a browser, what the world may know of us."""

from collections.abc import Sequence

from fastapi import APIRouter

from sancho.identity.api import accounts, identities, login, tokens, well_known

ROUTERS: Sequence[APIRouter] = (accounts.router, identities.router, tokens.router)
"""Native routes."""
PUBLIC_ROUTERS: Sequence[APIRouter] = (well_known.router, login.router)
"""They need no token, and take parameters that they do not know, as OAuth demands."""
