"""The files of the page, and its session."""

from pathlib import Path

from sancho.identity.model import Tokens
from sancho.identity.service import logins, tokens
from sancho.identity.service.clients import PAGE
from sancho.kit.deployment import Deployment
from sancho.web.errors import AssetNotFound

FOLDER = Path(__file__).parents[1] / "static"
NOT_BUILT = "The web page has not been built here: run `make web`. Everything else works without it."


def built() -> bool:
    """Say whether there is a page to serve: a wheel has one, a clone after `make web`."""
    return index().is_file()


def index() -> Path:
    """The document that every path below the page is answered with."""
    return FOLDER / "index.html"


def asset(name: str, *, packed: bool) -> tuple[Path, bool]:
    """A file of the page, and whether it is its gzip, as who takes that gets it; raises `AssetNotFound`."""
    plain = FOLDER / "assets" / name
    if not plain.is_file():
        raise AssetNotFound(name=name[:100])
    small = plain.with_name(f"{name}.gz")
    return (small, True) if packed and small.is_file() else (plain, False)


async def begin(deployment: Deployment, code: str, verifier: str) -> Tokens:
    """Exchange the code of a login that the page began for tokens; raises `CodeRefused`."""
    back = f"{deployment.public_url}{PAGE.redirects[0]}"
    return await logins.redeem(deployment, code, client=PAGE.client_id, redirect_uri=back, verifier=verifier)


async def renew(deployment: Deployment, session: str) -> Tokens:
    """The next tokens of a session; raises `RefreshRefused`."""
    return await tokens.refresh(deployment, session)


async def end(deployment: Deployment, session: str) -> None:
    """Void all tokens of a session's login; one that nobody knows is no error."""
    await tokens.revoke(deployment, session)
