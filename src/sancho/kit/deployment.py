"""What one process was given at its start: made once by `app`, passed to requests and tasks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from sancho.kit.access import Signer
from sancho.kit.archives import Repacker
from sancho.kit.breached import BreachedPasswords
from sancho.kit.clock import Clock, SystemClock
from sancho.kit.db import Database
from sancho.kit.extensions import Extensions
from sancho.kit.fair import Shares
from sancho.kit.objects import Objects
from sancho.kit.proxied import Network
from sancho.kit.search import SearchField
from sancho.kit.secrets import Secrets
from sancho_contract.certificate import CertificateVerifier


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """The collaborators of services that cannot be had from a transaction."""

    database: Database
    public_url: str
    """Where clients and pilots reach the API, without a trailing slash."""
    signer: Signer
    extensions: Extensions
    objects: Objects
    repacker: Repacker = field(default_factory=Repacker)
    keep_sandboxes: timedelta = timedelta(days=7)
    """How long a sandbox is kept that no job has."""
    keep_jobs: timedelta | None = None
    """How long jobs are kept after they ended; None: for ever."""
    silent_jobs: timedelta = timedelta(hours=6)
    """How long a job that no pilot of ours runs may give no sign of life."""
    most_jobs: int = 1_000_000
    """How many jobs one submission may have."""
    secrets: Secrets = field(default_factory=Secrets)
    """Those of the VOs, by name; plugins are made with `secrets.of(vo_name)`."""
    ca_file: str | None = None
    """CA bundle that clients and pilots need to trust `public_url`; None: the system's."""
    page_storages: Sequence[str] = ()
    """Origins of storages to which the web page may upload."""
    page_extensions: Path | None = None
    """The folder of what VOs add to the web page."""
    clients: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Programs that log people in which the operator has named, by id: identity's `Client`s."""
    trusted_proxies: Sequence[Network] = ()
    """Who may say, in headers, which certificate a client has shown and where it is; see `kit.proxied`."""
    certificates: CertificateVerifier | None = None
    """Says for whom a client's certificate stands; None: certificates open nothing."""
    breached: BreachedPasswords | None = None
    """Passwords that were stolen elsewhere, which nobody may take; None: that is not looked at."""
    kinds: Sequence[Any] = ()
    """Every kind of configuration document, for who applies one without being asked by a request."""
    search_fields: Sequence[SearchField] = ()
    """What DIDs may be searched by that features above the namespace know."""
    job_lookups: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """How what features above jobs know by name is found among jobs: by the field of a search, what looks ids up."""
    clock: Clock = field(default_factory=SystemClock)
    shares: Shares = field(default_factory=Shares)
    """What the VOs count beside each other; the same object that weighs the turns at the database."""
