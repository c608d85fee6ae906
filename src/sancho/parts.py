"""Every feature's kinds of documents and background tasks, and what a process needs to carry them out.

With `app`, which adds the routes, this is the composition root: only these two know every feature. Whatever serves no
HTTP imports this alone, and starts in half the time.
"""

import secrets
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from sancho.decisions import service as decisions
from sancho.decisions.kinds import KINDS as DECISIONS_KINDS
from sancho.decisions.tasks import tasks as decisions_tasks
from sancho.dids.kinds import KINDS as DIDS_KINDS
from sancho.dids.tasks import tasks as dids_tasks
from sancho.identity.kinds import KINDS as IDENTITY_KINDS
from sancho.identity.model import Client
from sancho.identity.tasks import tasks as identity_tasks
from sancho.jobs import service as jobs
from sancho.jobs.tasks import tasks as jobs_tasks
from sancho.kit.breached import BreachedPasswords
from sancho.kit.db import Database, named
from sancho.kit.deployment import Deployment
from sancho.kit.extensions import Extensions
from sancho.kit.fair import Shares
from sancho.kit.issuer import Issuer
from sancho.kit.object_stores import CloudObjects, LocalObjects, S3Access
from sancho.kit.objects import Objects
from sancho.kit.search import SearchField
from sancho.kit.secrets import Secrets
from sancho.kit.tasks import Tasks
from sancho.matching.kinds import KINDS as MATCHING_KINDS
from sancho.matching.tasks import tasks as matching_tasks
from sancho.pilots import service as pilots
from sancho.pilots.tasks import tasks as pilots_tasks
from sancho.placement.kinds import KINDS as PLACEMENT_KINDS
from sancho.placement.tasks import tasks as placement_tasks
from sancho.replicas.tasks import tasks as replicas_tasks
from sancho.rses.kinds import KINDS as RSES_KINDS
from sancho.rules.kinds import KINDS as RULES_KINDS
from sancho.rules.tasks import tasks as rules_tasks
from sancho.settings import ObjectSettings, Settings
from sancho.sharing.kinds import KINDS as SHARING_KINDS
from sancho.sites.kinds import KINDS as SITES_KINDS
from sancho.sites.tasks import tasks as sites_tasks
from sancho.transfers.tasks import tasks as transfers_tasks
from sancho.uploads.tasks import tasks as uploads_tasks
from sancho.vos import tasks as vos_tasks
from sancho.vos.kinds import KINDS as VOS_KINDS
from sancho.vos.model import Kind

KINDS: tuple[Kind[Any], ...] = (
    *VOS_KINDS, *IDENTITY_KINDS, *DECISIONS_KINDS, *SITES_KINDS, *RSES_KINDS, *DIDS_KINDS, *RULES_KINDS,
    *SHARING_KINDS, *MATCHING_KINDS, *PLACEMENT_KINDS,
)  # fmt: skip
"""Every kind of configuration document."""

TASKS: tuple[Tasks, ...] = (
    decisions_tasks, identity_tasks, dids_tasks, jobs_tasks, matching_tasks, pilots_tasks, placement_tasks,
    replicas_tasks, rules_tasks, sites_tasks, transfers_tasks, uploads_tasks,
)  # fmt: skip
"""Every background task."""

SEARCH_FIELDS: tuple[SearchField, ...] = jobs.SEARCH_FIELDS
"""What DIDs may be searched by, beside what the namespace itself knows of them."""

JOB_LOOKUPS: jobs.LookUps = {"pilot.stamp": pilots.ids_by_stamp}
"""What jobs may be searched by that features above them know by name."""


def make_deployment(settings: Settings, program: str | None = None) -> Deployment:
    """Put together what requests and tasks need; opens nothing. `program` is what this process is: `api`, `worker`.

    Raises `BreachedListUnfit`.
    """
    shares = Shares(machines=settings.fair.pilots_weight)
    extensions, certificates = Extensions(), settings.certificates
    diracx = Client(
        client_id=settings.diracx.client_id, title="A DiracX client", redirects=settings.diracx.redirects,
        loopback=True, looks_inside=True,
    )  # fmt: skip
    url = settings.database_url.get_secret_value()
    return Deployment(
        database=Database(
            url if program is None else named(url, program),
            size=settings.database_connections,
            weigh=shares,
            before_commit=decisions.write_down,
        ),
        public_url=settings.public_url.rstrip("/"),
        signer=Issuer(
            settings.keys,
            settings.public_url.rstrip("/"),
            access=settings.tokens.access,
            refresh=settings.tokens.refresh,
        ),
        extensions=extensions,
        secrets=Secrets(
            settings.secrets.given, settings.secrets.folder, settings.secrets.command, settings.secrets.command_timeout
        ),
        objects=_objects(settings, extensions),
        keep_sandboxes=settings.objects.keep,
        keep_jobs=settings.jobs_keep,
        silent_jobs=settings.jobs_silent,
        most_jobs=settings.most_jobs,
        kinds=KINDS,
        search_fields=SEARCH_FIELDS,
        job_lookups=JOB_LOOKUPS,
        ca_file=None if settings.ca_file is None else str(settings.ca_file),
        page_storages=settings.page.storages,
        page_extensions=settings.page.extensions,
        clients={diracx.client_id: diracx},
        shares=shares,
        breached=breached_passwords(settings),
        trusted_proxies=settings.trusted_proxies,
        certificates=extensions.get("sancho.certificate", certificates.plugin, certificates.settings)
        if certificates.plugin
        else None,
    )


def breached_passwords(settings: Settings) -> BreachedPasswords | None:
    """The list of passwords that were stolen elsewhere, if there is one; raises `BreachedListUnfit`."""
    return None if settings.breached_passwords is None else BreachedPasswords(settings.breached_passwords)


def following_shares(deployment: Deployment) -> AbstractAsyncContextManager[None]:
    """Keep what VOs count as the newest configuration has it, while the block runs."""
    return vos_tasks.following_shares(deployment.database, deployment.shares)


def _objects(settings: Settings, extensions: Extensions) -> Objects:
    base_url = f"{settings.public_url.rstrip('/')}/v1/objects"
    secret = _secret(settings.objects.signing_key_file or settings.state_dir / "objects.key")
    if settings.objects.url is not None and not settings.objects.url.startswith("file:"):
        return _cloud(settings.objects, extensions, base_url, secret)
    folder = settings.objects.folder or settings.state_dir / "objects"
    return LocalObjects(folder, base_url, secret)


def _cloud(said: ObjectSettings, extensions: Extensions, base_url: str, secret: bytes) -> CloudObjects:
    """A cloud store. With a key for S3 it takes everything itself; what a role gives for a while signs no forms."""
    url = said.url or ""
    if not url.startswith("s3://"):
        return CloudObjects(url, None, base_url=base_url, secret=secret)
    key = said.secret_key if said.secret_key_file is None else SecretStr(said.secret_key_file.read_text().strip())
    access = S3Access(
        endpoint=said.endpoint, region=said.region, access_key=said.access_key, secret_key=key,
        session_token=said.session_token,
    )  # fmt: skip
    signer = None
    if access.access_key is not None and key is not None and not said.temporary:
        more = {"region": access.region, "access_key": access.access_key, "secret_key": key}
        signer = extensions.get("sancho.objects", "s3", {**access.place(url), **more})
    return CloudObjects(url, access, base_url=base_url, secret=secret, signer=signer)


def _secret(path: Path) -> bytes:
    """Read a secret file, made on first use; only we may read it."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        scratch = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        scratch.touch(mode=0o600)
        scratch.write_bytes(secrets.token_bytes(32))
        scratch.replace(path)
    return path.read_bytes()
