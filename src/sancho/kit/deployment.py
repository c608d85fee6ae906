"""What one process was given at its start: made once by `app`, passed to requests and tasks."""

from dataclasses import dataclass, field

from sancho.kit.access import Signer
from sancho.kit.clock import Clock, SystemClock
from sancho.kit.db import Database
from sancho.kit.extensions import Extensions
from sancho.kit.fair import Shares
from sancho.kit.objects import Objects


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """The collaborators of services that cannot be had from a transaction."""

    database: Database
    public_url: str
    """Where clients and pilots reach the API, without a trailing slash."""
    signer: Signer
    extensions: Extensions
    objects: Objects
    ca_file: str | None = None
    """CA bundle that clients and pilots need to trust `public_url`; None: the system's."""
    clock: Clock = field(default_factory=SystemClock)
    shares: Shares = field(default_factory=Shares)
    """What the VOs count beside each other; the same object that weighs the turns at the database."""
