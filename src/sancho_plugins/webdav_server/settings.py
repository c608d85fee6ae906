"""Settings of one storage server."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class StorageServerSettings(BaseModel):
    """One storage: where its files are, where it listens, and whose tokens it believes."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    name: str
    """What the storage calls itself in logs, health answers and challenges."""
    root: Path
    """Folder whose content is served; made when missing. Its file system needs hard links."""
    host: str = "127.0.0.1"
    """Address to listen on."""
    port: Annotated[int, Field(ge=1, le=65535)]
    """Port to listen on."""
    issuer: str
    """The `iss` of tokens, exactly."""
    jwks_url: str
    """Where the issuer publishes its keys."""
    audience: str
    """What the `aud` of tokens must be, or contain."""
    issuer_ca: Path | None = None
    """Certificates that sign the issuer's own, when the system's do not."""
    tls_certificate: Path | None = None
    """Certificate chain to serve https with; needs `tls_key`."""
    tls_key: Path | None = None
    """Private key of the certificate."""
    shutdown_grace: timedelta = timedelta(seconds=10)
    """How long running requests may go on after SIGTERM."""
    browsers: tuple[Annotated[str, Field(pattern=r"^https?://[^\s/?#@]+$")], ...] = ()
    """Origins, such as `https://grid.example.org`, whose pages may have a browser put files here."""
    stall_timeout: timedelta = timedelta(seconds=60)
    """An upload that sends nothing for so long is dropped."""
    max_requests: Annotated[int, Field(ge=1)] = 256
    """Requests served at once; one more is answered 503 with Retry-After."""

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key go together")
        return self
