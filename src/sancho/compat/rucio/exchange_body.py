"""What goes out and comes in as a whole: how clients send it, and what of it differs from what there is.

What is said of an RSE is compared with what an export says of it, so that an export that comes back changes nothing.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field

from sancho.compat.rucio import rses_translate as say
from sancho.compat.rucio.accounts_wire import AuthType, Email, Type
from sancho.compat.rucio.rses_errors import SchemeUnknown
from sancho.compat.rucio.rses_wire import PLACES, ProtocolSaid, RseChange, Word
from sancho.rses.model import Rse
from sancho.vos.model import Spec

MOST_PROOFS = 200
"""What may come to prove accounts at once."""
Cost = Annotated[int, Field(ge=0, lt=2**15)]


class ProtocolData(ProtocolSaid):
    """A protocol of an RSE."""

    scheme: Annotated[str, Field(max_length=20)]


class RseData(RseChange):
    """An RSE as it shall be: what is not said stays. What follows from something else is not looked at."""

    rse: Word | None = None
    id: Word | None = None
    availability: int | None = None
    domain: list[Word] | None = None
    credentials: None = None
    sign_url: None = None
    verify_checksum: Literal[True] | None = None
    lfn2pfn_algorithm: Word | None = None
    attribute: dict[Word, bool | int | float | Word | None] = Field({}, alias="attributes", max_length=1000)
    protocols: list[ProtocolData] = Field([], max_length=20)


class LinkData(BaseModel, extra="forbid"):
    """What transfers between two RSEs cost; `ranking` is an old word for the same."""

    distance: Cost
    ranking: Cost | None = None
    src_rse_id: Word | None = None
    dest_rse_id: Word | None = None


class ProofData(BaseModel, extra="forbid"):
    """What proves an account."""

    type: AuthType
    identity: Annotated[str, Field(max_length=16_384)]
    email: Email | None = None
    password: None = None


class AccountData(BaseModel, extra="forbid"):
    """An account as it shall be, and what shall prove it beside what does already."""

    account: Word
    email: Email | None = None
    type: Type | None = None
    identities: Annotated[list[ProofData], Field(max_length=MOST_PROOFS)] = []


def _few_proofs(accounts: list[AccountData]) -> list[AccountData]:
    if sum(len(account.identities) for account in accounts) > MOST_PROOFS:
        raise ValueError(f"should say {MOST_PROOFS} identities at most")
    return accounts


class DataIn(BaseModel, extra="forbid"):
    """RSEs and links by name, and accounts."""

    rses: Annotated[dict[Word, RseData], Field(max_length=1000)] = {}
    distances: Annotated[dict[Word, dict[Word, LinkData]], Field(max_length=1000)] = {}
    accounts: Annotated[list[AccountData], Field(max_length=1000), AfterValidator(_few_proofs)] = []


# ---- what differs


SWITCHES = {
    "availability_read": "readable", "availability_write": "writable", "availability_delete": "deletable",
}  # fmt: skip
"""What may be done on an RSE, in Rucio's words and in those of its document."""


def exported(rse: Rse, vo_name: str) -> dict[str, Any]:
    """All of an RSE that a VO sees."""
    return {**say.settings_of(rse, vo_name), "attributes": say.attributes_of(rse)}


def links(rses: Mapping[int, Rse], distances: Mapping[tuple[int, int], int]) -> dict[str, dict[str, Any]]:
    """What transfers cost, by names of source and destination."""
    found: dict[str, dict[str, Any]] = {}
    for (one, other), cost in distances.items():
        if one in rses and other in rses:
            found.setdefault(rses[one].name, {})[rses[other].name] = say.distance_of(rses[one], rses[other], cost)
    return found


def site_of(name: str, said: RseData) -> str:
    """The site of a new RSE: the one that is said, or else one of its own name."""
    return str(said.attribute.get("site") or name)


def merged(spec: Spec, now: Rse | None, name: str, said: RseData, vo_name: str) -> Spec:
    """The document of an RSE after what is said of it; `now` is what it is, None: it is new."""
    before: Mapping[str, Any] = exported(now, vo_name) if now else {"attributes": {}, "protocols": []}
    new = dict(spec)
    for word, switch in SWITCHES.items():
        value = getattr(said, word)
        if value is not None and value != before.get(word):
            new[switch] = value
    if (naming := said.lfn2pfn_algorithm) is not None and naming != before.get("lfn2pfn_algorithm"):
        new["naming"] = naming
    attributes = _attributes(said, before, name)
    if attributes:
        new["attributes"] = {**new.get("attributes", {}), **attributes}
    if now and (site := said.attribute.get("site")) not in (None, now.site):
        new["site"] = site
    ways = _ways(say.ways_of(new), said.protocols, before["protocols"], vo_name)
    return new if ways is None else say.with_ways(new, ways)


def _attributes(said: RseData, before: Mapping[str, Any], name: str) -> dict[str, Any]:
    """What differs of what expressions may ask for."""
    known = before["attributes"]
    new = {
        key: value for key, value in said.attribute.items()
        if value is not None and key not in ("site", name) and not _same(value, known.get(key))
    }  # fmt: skip
    places = {key: value for key in PLACES if (value := getattr(said, key)) is not None} | {"qos": said.qos_class}
    new |= {key: value for key, value in places.items() if value is not None and not _same(value, known.get(key))}
    if said.rse_type is not None and said.rse_type != before.get("rse_type", "DISK"):
        new["istape"] = said.rse_type == "TAPE"
    return new


def _same(one: object, other: object) -> bool:
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def _ways(ways: list[Spec], said: list[ProtocolData], before: list[dict[str, Any]], vo_name: str) -> list[Spec] | None:
    """The protocols of an RSE with those that are said, changed or added; None when nothing differs.

    Those that there are stand in the same order in `ways` and, as an export says them, in `before`.
    """
    new = list(ways)
    for one in said:
        host = one.hostname or "localhost"
        prefix = say.prefix_of(one.scheme, host, one.port or 0, one.prefix or "", vo_name)
        position = next((n for n, way in enumerate(ways) if _leads(way, one.scheme, host, prefix)), len(before))
        if position < len(before):
            new[position] = _way(new[position], position + 1, one, before[position], vo_name)
        else:
            new.append(_new_way(new, one, prefix))
    return None if new == ways else new


def _way(way: Spec, place: int, said: ProtocolData, shown: Mapping[str, Any], vo_name: str) -> Spec:
    """A protocol after what is said of it."""
    new = dict(way)
    if said.prefix is not None and said.prefix.rstrip("/") != shown["prefix"].rstrip("/"):
        new["prefix"] = say.moved(way["prefix"], said.prefix, vo_name)
    if said.domains is not None and said.domains.model_dump() != shown["domains"]:
        new = say.with_ranks(new, place, said.domains.model_dump())
    return new


def _new_way(ways: list[Spec], said: ProtocolData, prefix: str) -> Spec:
    """One more protocol, with the settings of another of the same plugin."""
    if said.scheme not in say.PLUGINS:
        raise SchemeUnknown(scheme=said.scheme)
    way: Spec = {"plugin": say.PLUGINS[said.scheme], "prefix": prefix}
    if alike := next((other.get("settings") for other in ways if other["plugin"] == way["plugin"]), None):
        way["settings"] = alike
    return way if said.domains is None else {**way, "domains": said.domains.ranks}


def _leads(way: Spec, scheme: str, host: str, prefix: str) -> bool:
    return say.meant(way["prefix"], scheme, host, say.port_of(prefix))


def linked(spec: Spec, now: Mapping[str, Mapping[str, Any]], said: Mapping[str, LinkData]) -> Spec:
    """The document of an RSE after what is said of what leads from it; `now` is what does, as an export says it."""
    new = {
        name: link.distance for name, link in said.items()
        if name not in now or now[name]["distance"] != link.distance
    }  # fmt: skip
    return {**spec, "distances": {**spec.get("distances", {}), **new}} if new else spec
