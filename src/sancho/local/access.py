"""How clients reach a grid of this machine: its address, whom to trust, and a token for its administrator.

Whoever owns a home owns the keys that sign tokens, so no password is needed, and none is kept.
"""

from datetime import timedelta
from pathlib import Path

from sancho.kit.issuer import Issuer
from sancho.local.errors import LocalError
from sancho.local.home import Config, Home
from sancho.local.programs import write_private
from sancho_client.client import Client
from sancho_client.environment import Environment
from sancho_client.tokens import GivenToken

ADMINISTRATOR = "admin"
INSTANCE = "instance"
LIFETIME = timedelta(days=7)


class NoSuchVo(LocalError):
    """This grid has no administrator of a VO {vo}; it has those of {known}, and of instance for what all VOs share."""

    code = "no_such_vo"

    def __init__(self, *, vo: str, known: str) -> None:
        super().__init__(vo=vo, known=known, hint=f"`sancho up --vo {vo}` makes it, with an administrator.")


def make_token(home: Home, config: Config, vo: str, lifetime: timedelta = LIFETIME) -> str:
    """Sign a token for the administrator of a VO."""
    issuer = Issuer(home.keys, config.url)
    claims = {"sub": f"{vo}:{ADMINISTRATOR}", "aud": config.url, "scope": "sancho", "vo": vo}
    return issuer.sign(claims, lifetime)


def write_tokens(home: Home, config: Config, vo: str) -> Path:
    """Put new tokens for the administrators of all VOs into files that only we may read, and return that of one VO.

    Each file is named like its VO: clients find the others beside it, so that `--vo` works. It holds the token and
    nothing else: Rucio's client sends what it reads there, an end of line too.
    """
    known = (*config.begun, INSTANCE)
    if vo not in known:
        raise NoSuchVo(vo=vo, known=", ".join(config.begun))
    for name in known:
        write_private(home.tokens / name, make_token(home, config, name))
    return home.tokens / vo


def client(home: Home, config: Config, vo: str = INSTANCE) -> Client:
    """Return a client that speaks for the administrator of a VO."""
    environment = Environment(
        url=config.url, ca_file=home.ca_file if config.tls else None, config_home=home.folder / "tokens"
    )
    token = make_token(home, config, vo, timedelta(hours=1))
    return Client(config.url, vo=vo, tokens=GivenToken(token), environment=environment)


def variables(home: Home, vo: str | None = None, *, with_token: bool = True) -> dict[str, str | None]:
    """Return what the environment of clients must say, of Rucio's and DiracX's too; None: it must not be set."""
    config = home.config()
    vo = vo or config.begun[0]
    token_file = str(write_tokens(home, config, vo)) if with_token else None
    ca_file = str(home.ca_file) if config.tls else None
    return {
        "SANCHO_URL": config.url,
        "SANCHO_VO": vo,
        "SANCHO_TOKEN_FILE": token_file,
        "SANCHO_TOKEN": None,
        "SANCHO_CA_FILE": ca_file,
        "RUCIO_HOST": f"{config.url}/rucio",
        "RUCIO_AUTH_HOST": f"{config.url}/rucio",
        "RUCIO_ACCOUNT": ADMINISTRATOR,
        "RUCIO_VO": vo,
        "RUCIO_AUTH_TYPE": "oidc" if token_file else None,
        "RUCIO_CONFIG": str(_write_rucio_config(home, config, vo, token_file)),
        "DIRACX_URL": config.url,
        "DIRACX_CA_PATH": ca_file,
    }


def _write_rucio_config(home: Home, config: Config, vo: str, token_file: str | None) -> Path:
    """Write what Rucio's clients take from a file alone: where the server is, and where a token."""
    facts = {
        "rucio_host": f"{config.url}/rucio",
        "auth_host": f"{config.url}/rucio",
        "account": ADMINISTRATOR,
        "vo": vo,
        "ca_cert": str(home.ca_file) if config.tls else None,
        "auth_type": "oidc" if token_file else None,
        "auth_token_file_path": token_file,
    }
    lines = ["[client]", *(f"{key} = {value}" for key, value in facts.items() if value is not None)]
    path = home.run / f"rucio-{vo}.cfg"
    write_private(path, "\n".join(lines) + "\n")
    return path
