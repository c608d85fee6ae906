"""What the environment says to clients; the only module of the client that reads it.

| variable           | meaning                                                                                 |
|--------------------|-----------------------------------------------------------------------------------------|
| SANCHO_URL         | the server, `https://grid.example.org`; without it, the server of the last `login`      |
| SANCHO_VO          | the VO to speak for, where `--vo` is not said                                           |
| SANCHO_TOKEN       | an access token to use instead of a login, unless another VO is asked for than its own  |
| SANCHO_TOKEN_FILE  | a file that holds one, read anew for each request; one beside it serves the VO it names |
| SANCHO_CA_FILE     | certificates of the authorities to trust, instead of the system's                       |
| SANCHO_CONFIG_HOME | folder of the login cache; by default `sancho` under XDG_CONFIG_HOME or `~/.config`     |
| SANCHO_SITE        | the site where the program runs, whose replicas are read first; pilots set it           |
| X509_USER_PROXY    | file of a grid proxy, for `login --certificate`                                         |
| X509_USER_CERT     | file of a certificate, where there is no proxy; its key is there or in X509_USER_KEY    |
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class Environment:
    """What the environment says; empty variables count as unset."""

    url: str | None = None
    vo: str | None = None
    token: str | None = None
    token_file: Path | None = None
    ca_file: Path | None = None
    config_home: Path
    site: str | None = None
    certificate: tuple[Path, Path] | None = None
    """Files of a certificate, or a proxy, and of its key."""

    @classmethod
    def read(cls, variables: Mapping[str, str] | None = None) -> "Environment":
        """Read the variables of this process, or those given."""
        given = {k: v for k, v in (os.environ if variables is None else variables).items() if v}
        token_file, ca_file = given.get("SANCHO_TOKEN_FILE"), given.get("SANCHO_CA_FILE")
        config_home = given.get("SANCHO_CONFIG_HOME")
        certificate = given.get("X509_USER_PROXY") or given.get("X509_USER_CERT")
        key = certificate if "X509_USER_PROXY" in given else given.get("X509_USER_KEY") or certificate
        base = Path(given.get("XDG_CONFIG_HOME") or "~/.config").expanduser()
        return cls(
            url=given.get("SANCHO_URL"),
            vo=given.get("SANCHO_VO"),
            token=given.get("SANCHO_TOKEN"),
            token_file=Path(token_file).expanduser() if token_file else None,
            ca_file=Path(ca_file).expanduser() if ca_file else None,
            site=given.get("SANCHO_SITE"),
            config_home=Path(config_home).expanduser() if config_home else base / "sancho",
            certificate=(Path(certificate).expanduser(), Path(key).expanduser()) if certificate and key else None,
        )
