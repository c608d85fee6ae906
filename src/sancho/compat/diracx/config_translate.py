"""Our VOs, accounts and topology as DiracX's configuration says them, and which answer a client has already."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import urlsplit

from sancho.compat.diracx import config_wire as wire
from sancho.compat.diracx.translate import properties_of
from sancho.identity.model import Account, AccountState, Group, Provider
from sancho.jobs.model import MOST_INPUTS
from sancho.rses.model import Rse
from sancho.sites.model import ComputeElement, Site
from sancho.vos.model import Document

TIME = "%a, %d %b %Y %H:%M:%S GMT"
"""How HTTP writes times."""
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
"""When a VO was configured last that never was."""
ANYWHERE = "Sancho"
"""The domain of sites whose names have none in DIRAC's way, such as `LCG.CERN.ch`."""
ASK = "Ask an administrator of your VO."


@dataclass(frozen=True, kw_only=True)
class Known:
    """All that is said of a VO; accounts and groups are its own, the rest is what it may use."""

    vo: str
    public_url: str
    client_id: str
    """What DiracX's clients are called here."""
    email: str | None
    accounts: Sequence[Account]
    groups: Sequence[Group]
    providers: Sequence[Provider]
    settings: Sequence[Document]
    max_reschedules: int = 3
    sites: Sequence[Site]
    ces: Sequence[ComputeElement]
    rses: Sequence[Rse]


@dataclass(frozen=True, kw_only=True)
class Edition:
    """Which state of things an answer tells."""

    etag: str
    modified: datetime

    @property
    def headers(self) -> dict[str, str]:
        """The headers that name it. The ETag stands without quotes, as DiracX's does."""
        return {
            "ETag": self.etag, "Last-Modified": self.modified.strftime(TIME), "Vary": "Authorization",
        }  # fmt: skip

    def is_known(self, headers: Mapping[str, str]) -> bool:
        """Whether a client has it already: it names the same ETag, letter for letter, or asks for what is newer.

        A time of asking that is no time is as good as none.
        """
        if headers.get("if-none-match") == self.etag:
            return True
        try:
            since = datetime.strptime(headers.get("if-modified-since", ""), TIME).replace(tzinfo=UTC)
        except ValueError:
            return False
        return since > self.modified


def edition(applied_at: datetime | None, *facts: Any, suffix: str = "") -> Edition:
    """Name the state of things that some facts make together, as of when the configuration was applied last."""
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()
    modified = BEGINNING if applied_at is None else applied_at.astimezone(UTC).replace(microsecond=0)
    return Edition(etag=digest[:40] + suffix, modified=modified)


def config(known: Known) -> dict[str, Any]:
    """The configuration that a VO may see."""
    made = wire.Config(
        operations={known.vo: _operations(known)},
        registry={known.vo: _registry(known)},
        resources=wire.Resources(
            sites=_sites(known), storage_elements={rse.name: _storage(rse) for rse in reversed(known.rses)}
        ),
    )
    return made.model_dump(mode="json", by_alias=True)


def _operations(known: Known) -> wire.Operations:
    free = {one.name: nested(one.spec["options"]) for one in known.settings if one.name in wire.FREE_SECTIONS}
    scheduling = wire.JobScheduling(max_rescheduling=known.max_reschedules)
    fixed = {
        "job_description": wire.JobDescription(max_input_data=MOST_INPUTS),
        "services": wire.Services(job_scheduling=scheduling),
    }
    return wire.Operations.model_validate({**free, **fixed})


def nested(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options within options, whose documents say them side by side: `Site:Share` is `Share` of `Site`."""
    made: dict[str, Any] = {}
    for path, value in sorted(options.items()):
        *outer, last = path.split(wire.BETWEEN)
        inner = made
        for name in outer:
            below = inner.setdefault(name, {})
            if not isinstance(below, dict):
                break
            inner = cast("dict[str, Any]", below)
        else:
            inner.setdefault(last, value)
            continue
        made[path] = value
    return made


def _registry(known: Known) -> wire.Registry:
    suspended = [known.vo]
    return wire.Registry(
        idp=_provider(known),
        support=wire.Support(email=known.email, webpage=known.public_url, message=ASK),
        default_group=known.groups[0].name if known.groups else "",
        users={
            account.name: wire.User(
                prefered_username=account.name, suspended=suspended if account.state is AccountState.SUSPENDED else []
            )
            for account in known.accounts
        },
        groups={
            group.name: wire.Group(
                properties=properties_of(group.permissions),
                users=[account.name for account in known.accounts if group.name in account.groups],
                job_share=round(group.share * wire.SHARE),
            )
            for group in known.groups
        },
    )


def _provider(known: Known) -> wire.Provider:
    """Who vouches for people, or where nobody else does, this server."""
    if not known.providers:
        return wire.Provider(url=known.public_url, client_id=known.client_id)
    first = known.providers[0]
    return wire.Provider(url=first.issuer, client_id=str(first.settings.get("client_id", "")))


def _sites(known: Known) -> dict[str, dict[str, wire.Site]]:
    made: dict[str, dict[str, wire.Site]] = {}
    for site in reversed(known.sites):
        made.setdefault(_domain(site.name), {})[site.name] = wire.Site(
            name=site.name,
            ces={ce.name: _ce(ce) for ce in reversed(known.ces) if ce.site == site.name},
            se=[rse.name for rse in known.rses if rse.site == site.name],
        )
    return made


def _domain(name: str) -> str:
    domain, *rest = name.split(".")
    return domain if len(rest) >= 2 else ANYWHERE


def _ce(ce: ComputeElement) -> wire.ComputeElement:
    return wire.ComputeElement(
        ce_type=ce.plugin, number_of_processors=ce.cores, max_ram=ce.memory // 10**6,
        queue_cpu_time=int(ce.walltime.total_seconds()) // 60, max_total_jobs=ce.max_pilots, tag=list(ce.tags),
    )  # fmt: skip


def _storage(rse: Rse) -> wire.StorageElement:
    ways = {f"AccessProtocol.{n}": _way(protocol.prefix) for n, protocol in enumerate(rse.protocols, 1)}
    made = wire.StorageElement(
        backend_type=rse.plugin, read_access=_access(rse.readable), write_access=_access(rse.writable),
        check_access=_access(rse.readable), remove_access=_access(rse.deletable),
    )  # fmt: skip
    return made.model_copy(update=ways)


def _access(allowed: bool) -> str:
    return "Active" if allowed else "Banned"


def _way(prefix: str) -> wire.AccessProtocol:
    parts = urlsplit(prefix)
    return wire.AccessProtocol(
        protocol=parts.scheme, host=parts.hostname or "", port=str(parts.port or ""), path=parts.path
    )


def own_first(things: Iterable[Any], vo: int) -> list[Any]:
    """Things in order of their names; of two of one name, the VO's own first, for it hides the other."""
    return sorted(things, key=lambda thing: (thing.name, thing.vo != vo))
