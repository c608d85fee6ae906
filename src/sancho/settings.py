"""One deployment's settings: read once, from `SANCHO_…` in the environment, and nowhere else.

Configuration of VOs and topology is not here: it is applied with `sancho apply` and lives in the database.
"""

import os
from collections.abc import Mapping
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

REDIRECT = r"^(https://[^\s/?#@\\]+|http://(localhost|127\.0\.0\.1)(:[0-9]{1,5})?)(/[^\s#\\]*)?$"


def _not_ours(client_id: str) -> str:
    if client_id in {"sancho", "sancho-web", "rucio"}:
        raise ValueError("another program is called so")
    return client_id


class WorkerSettings(BaseModel, frozen=True):
    """How one worker process behaves."""

    concurrency: Annotated[int, Field(ge=1)] = 16
    """Background tasks that one worker process runs at once."""
    shutdown_grace: timedelta = timedelta(seconds=30)
    """How long running tasks may go on after SIGTERM."""
    metrics_port: Annotated[int, Field(ge=1, le=65535)] | None = None
    """Port of the loopback address on which this worker serves `/metrics`; it serves none when absent."""


class ObjectSettings(BaseModel, frozen=True):
    """Where small objects (sandboxes) are kept."""

    url: str | None = None
    """`s3://bucket/prefix`, `gs://…`, `az://…`; when absent, the server itself keeps and serves them in `folder`."""
    endpoint: Annotated[str | None, Field(pattern="^https?://[^\\s/?#@]+/?$", validate_default=True)] = Field(
        default_factory=lambda: os.environ.get("AWS_ENDPOINT_URL") or None
    )
    """Where an S3 store listens that is not Amazon's, such as `https://minio.example.org:9000`, as clients reach it;
    when absent, what AWS_ENDPOINT_URL says."""
    region: str = Field(
        default_factory=lambda: os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
    )
    """Region of the S3 bucket; when absent, what AWS_REGION or AWS_DEFAULT_REGION says, or `us-east-1`."""
    access_key: str | None = Field(default_factory=lambda: os.environ.get("AWS_ACCESS_KEY_ID") or None)
    """Name of the key with which S3 is used; when absent, what AWS_ACCESS_KEY_ID says."""
    secret_key: SecretStr | None = Field(
        default_factory=lambda: SecretStr(text) if (text := os.environ.get("AWS_SECRET_ACCESS_KEY")) else None
    )
    """Secret of that key; when absent, what AWS_SECRET_ACCESS_KEY says. With both, all that is sent goes straight to
    the store, which checks its size and content."""
    secret_key_file: Path | None = None
    """File (0400) with the secret of that key, in place of `secret_key`."""

    @property
    def temporary(self) -> bool:
        """Whether the key in the environment is good for a while alone, with a token that is no setting of ours."""
        return self.session_token is not None

    @property
    def session_token(self) -> SecretStr | None:
        """What goes with such a key; that of another key in the environment is none of ours."""
        token, own = os.environ.get("AWS_SESSION_TOKEN"), self.access_key == os.environ.get("AWS_ACCESS_KEY_ID")
        return SecretStr(token) if token and own else None

    folder: Path | None = None
    """Folder of the server's own store; `STATE_DIR/objects` when absent."""
    signing_key_file: Path | None = None
    """File (0600) with the secret that signs the server's own presigned URLs, the same on all hosts of the API;
    `STATE_DIR/objects.key` when absent."""
    max_size: Annotated[int, Field(ge=1)] = 100 * 1024**2
    """Bytes of the largest sandbox."""
    keep: Annotated[timedelta, Field(ge=timedelta(hours=2))] = timedelta(days=7)
    """How long a sandbox is kept that no job has, and that nobody has announced since."""


class TokenSettings(BaseModel, frozen=True):
    """Lifetimes of what we sign."""

    access: timedelta = timedelta(hours=1)
    """Access tokens of users."""
    refresh: timedelta = timedelta(days=30)
    """Refresh tokens of users; each use gives a new one."""


class FairSettings(BaseModel, frozen=True):
    """What one API process lets each account, VO and address ask, in requests a second; over it, they get a 429.

    Whoever was quiet may ask for `burst` seconds' worth at once. The share in a VO's document multiplies its limits.
    """

    account: Annotated[float, Field(gt=0)] = 50
    """Requests a second of one account."""
    vo: Annotated[float, Field(gt=0)] = 100
    """Requests a second of all accounts of one VO."""
    pilots: Annotated[float, Field(gt=0)] = 5000
    """Requests a second of all pilots of the CEs that one VO, or `instance`, owns; and of machines without a token from
    one address, which is often that of a whole site."""
    address: Annotated[float, Field(gt=0)] = 25
    """Requests a second from one address (of IPv6, one /64) that carry no token that is good."""
    logins: Annotated[float, Field(gt=0)] = 10
    """Requests a second for tokens, or other steps of a login, from one address."""
    burst: Annotated[float, Field(ge=0.1)] = 20
    """Seconds' worth of requests that may come at once."""
    at_once: Annotated[int, Field(ge=1)] = 8
    """Requests that are worked on at once; the others wait, and VOs take turns."""
    waiting: Annotated[int, Field(ge=1)] = 500
    """Requests that may wait; beyond that, the newest of the VO with the most is refused."""
    pilots_weight: Annotated[float, Field(gt=0)] = 4
    """What pilots, and the VO `instance`, count in turns beside a VO, which counts 1 unless its document says more."""


class SecretSettings(BaseModel, frozen=True):
    """Where the secrets of VOs are kept that their documents name, such as `iam` of the VO `belle`."""

    folder: Path | None = None
    """Folder with the secrets that documents of VOs name: a file for each, `FOLDER/belle/iam`, that only its owner may
    read (0400). The environment comes first: `SANCHO_SECRET_BELLE__IAM`, in capitals, two underscores between VO and
    name, and `_2E` for a `.`, `_2D` for a `-`, `_5F` for a `_` in them."""
    command: tuple[str, ...] = ()
    """Program, with arguments, as a JSON list, that writes a secret to its output when it is run with a VO's name and
    the secret's as two more arguments, such as a script around `vault kv get`."""
    command_timeout: timedelta = timedelta(seconds=10)
    """How long the program may run."""

    @property
    def given(self) -> dict[str, SecretStr]:
        """The secrets in the environment, each by the name of its variable."""
        return {
            name: SecretStr(text) for name, text in os.environ.items() if name.startswith("SANCHO_SECRET_") and text
        }


class CertificateSettings(BaseModel, frozen=True):
    """Logins with X.509 certificates and proxies, for clients that know nothing newer."""

    plugin: str | None = None
    """Name of an installed `sancho.certificate` plugin, such as `x509`; when absent, no certificate opens anything."""
    settings: dict[str, Any] = {}
    """What the plugin needs to know; for `x509` at least the day of its end: `{"sunset": "2027-12-31"}`."""


class PageSettings(BaseModel, frozen=True):
    """What the web page needs beyond the API."""

    storages: tuple[Annotated[str, Field(pattern=r"^https?://[A-Za-z0-9.:\[\]-]{1,255}$")], ...] = ()
    """Origins of storages, such as `["https://se.example.org:8443"]`, as a JSON list, to which the page may upload
    files; each of them has to let pages of `public_url` put files there (CORS). Downloads need nothing of this."""
    extensions: Path | None = None
    """The folder of what VOs add to the page, `VO/NAME/extension.json` with the files beside it; with none there is
    nothing added. Each process of the API needs the same."""


class DiracxSettings(BaseModel, frozen=True):
    """What DiracX's API needs beyond ours."""

    client_id: Annotated[str, Field(pattern="^[A-Za-z0-9._-]{1,100}$"), AfterValidator(_not_ours)] = "myDIRACClientID"
    """What DiracX's clients are called at a login, when an extension of them has changed it."""
    redirects: tuple[Annotated[str, Field(pattern=REDIRECT)], ...] = ()
    """Where a login may lead that a DiracX client began in a browser, such as `["https://web.example.org/auth"]`, as a
    JSON list; any port of the loopback address, `127.0.0.1`, is allowed besides."""
    legacy_exchange_keys: Mapping[str, Annotated[str, Field(pattern="^[0-9a-f]{64}$")]] = {}
    """For each VO whose DIRAC services may get tokens for its accounts, the SHA-256 of their key in hex, as a JSON
    object; with none, legacy exchange is off."""
    core_benchmark: Annotated[float, Field(gt=0, le=10_000, allow_inf_nan=False)] = 10.0
    """HS06 (HEPscore23) of one core: CPUTime of a JDL, divided by this, is the wall time that its job asks for."""


class Settings(BaseSettings):
    """The settings of this process; immutable."""

    model_config = SettingsConfigDict(
        env_prefix="SANCHO_", env_nested_delimiter="__", extra="forbid", frozen=True, use_attribute_docstrings=True
    )

    database_url: SecretStr = SecretStr("postgresql:///sancho")
    """PostgreSQL (15 or newer) as the server's role, which is neither owner nor superuser."""
    migration_database_url: SecretStr | None = None
    """The same database as its owner; only `sancho migrate` and `sancho drop-audit` use it."""
    database_connections: Annotated[int, Field(ge=2)] = 10
    """Connections for work in one process; a few more serve long reads."""
    state_dir: Path = Path("~/.local/state/sancho").expanduser()
    """Folder for what is not in the database: keys and the server's own objects."""
    signing_keys: Path | None = None
    """Private folder (0700) of JWKs that sign our tokens, `STATE_DIR/keys` when absent; re-read when it changes."""
    public_url: str = "http://127.0.0.1:8080"
    """Where clients and pilots reach the API; also the issuer of our tokens."""
    ca_file: Path | None = None
    """CA certificates that clients and pilots need to trust `public_url`; the system's when absent."""
    host: str = "127.0.0.1"
    """Address the API listens on."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    """Port the API listens on."""
    tls_cert: Path | None = None
    """Certificate (PEM) of the API; plain HTTP when absent."""
    tls_key: Path | None = None
    """Private key (PEM) of the API."""
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    """Networks of the proxies in front, such as `["10.0.0.5/32"]`: only they may say, in `Client-Cert` and
    `X-Forwarded-For`, which certificate a client has shown and where it is."""
    security_contact: Annotated[str | None, Field(pattern=r"^(mailto:|https://|tel:)\S+$")] = None
    """Whom to tell of a weakness, such as `mailto:security@example.org`, for `/.well-known/security.txt`."""
    breached_passwords: Path | None = None
    """File of SHA-1 hashes of passwords that were stolen elsewhere, `HASH:COUNT` in each line and sorted by hash, as
    Have I Been Pwned publishes them: no account may take one of them. When absent, that is not looked at."""
    max_body: Annotated[int, Field(ge=1024)] = 32_000_000
    """Bytes of the largest request body; sandboxes have a limit of their own."""
    most_jobs: Annotated[int, Field(ge=1, le=100_000_000)] = 1_000_000
    """Jobs that one submission may have. Beyond 10 000 they differ in nothing but their number."""
    development: bool = False
    """This instance is for development or tests: `sancho reset` may empty it."""
    log_level: str = "INFO"
    """DEBUG, INFO, WARNING or ERROR."""
    otlp_endpoint: Annotated[str | None, Field(pattern="^https?://", validate_default=True)] = Field(
        default_factory=lambda: os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT") or None
    )
    """Collector to send traces to, as OTLP over HTTP, such as `http://127.0.0.1:4318`; when absent, what
    OTEL_EXPORTER_OTLP_ENDPOINT says, and without either none are sent."""
    audit_keep: Annotated[timedelta, Field(ge=timedelta(days=1))] | None = None
    """How long rows of the audit log stay at least, such as `P730D`: `sancho drop-audit` drops what was sealed before;
    all stay for ever when absent."""
    jobs_keep: Annotated[timedelta, Field(ge=timedelta(days=1))] | None = None
    """How long jobs are kept after they ended, such as `P400D`, and the weeks of their history; a job that made a file
    stays as long as the file does. All stay for ever when absent."""
    jobs_silent: Annotated[timedelta, Field(ge=timedelta(minutes=1))] = timedelta(hours=6)
    """How long a job that is run over DiracX's API, by none of our own pilots, may send neither heartbeat nor status;
    then, within five minutes, it is tried again or has failed, as its description says of pilots that are lost."""
    worker: WorkerSettings = WorkerSettings()
    objects: ObjectSettings = ObjectSettings()
    tokens: TokenSettings = TokenSettings()
    fair: FairSettings = FairSettings()
    secrets: SecretSettings = SecretSettings()
    certificates: CertificateSettings = CertificateSettings()
    diracx: DiracxSettings = DiracxSettings()
    page: PageSettings = PageSettings()

    @property
    def keys(self) -> Path:
        """The folder of signing keys."""
        return self.signing_keys or self.state_dir / "keys"
