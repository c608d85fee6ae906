"""The kind of documents that make VOs."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, Field

from sancho.kit.access import INSTANCE, Principal, require
from sancho.kit.db import Connection
from sancho.vos import plan, store
from sancho.vos.errors import DocumentInvalid
from sancho.vos.model import INSTANCE_NAME, Kind, Named


class VoSpec(BaseModel, extra="forbid"):
    """A VO has a name, a share of the server, and ways to log in."""

    share: Annotated[float, Field(ge=0.01, le=100)] = 1.0
    """What it counts beside another VO when both want more than there is; it multiplies its request limits too."""
    alias: Annotated[str | None, Field(pattern="^[a-z0-9]{1,3}$")] = None
    """A name of at most three letters, for Rucio's clients, which bear no longer one. No other VO may have it."""
    description: Annotated[str | None, Field(max_length=1000)] = None
    email: Annotated[str | None, Field(max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")] = None
    """Where whoever runs it can be reached."""
    passwords: bool = True
    """Whether its accounts may log in with passwords that this server keeps. Without, they log in by its identity
    providers, keys and certificates; tokens that were given stay good. The VO `instance` always may."""
    max_reschedules: Annotated[int, Field(ge=0, le=1000)] = 3
    """How often a job may be put back to its start by who owns it."""


async def shares(conn: Connection) -> dict[int, float]:
    """What each VO counts, by id; the transaction serves the VO `instance`, which owns their documents."""
    said = {name: spec for (_, _, name), spec in (await store.state(conn, [INSTANCE], kind=KIND.name)).items()}
    return {vo.vo: float(said.get(vo.name, {}).get("share", 1.0)) for vo in await store.all_vos(conn)}


async def _create_vos(conn: Connection, caller: Principal, _vo: int, documents: Sequence[Named[VoSpec]]) -> None:
    require(caller, "vos:create")
    made = await store.create(conn, [d.name for d in documents])
    await store.serve_also(conn, [vo.vo for vo in made])
    aliases = {vo.name: vo.alias for vo in await store.all_vos(conn)} | {d.name: d.spec.alias for d in documents}
    for d in documents:
        if twin := plan.called_alike(d.name, aliases):
            problems = f"alias: {twin} and {d.name} would be called alike"
            raise DocumentInvalid(kind="VO", name=d.name, problems=problems, field=d.field("alias"))
    await store.put_aliases(conn, [d.name for d in documents], [None] * len(documents))  # so that two may swap theirs
    await store.put_aliases(conn, [d.name for d in documents], [d.spec.alias for d in documents])
    for d in documents:
        if d.name == INSTANCE_NAME and not d.spec.passwords:
            problems = "passwords: who administers the installation keeps them, so that nobody is locked out"
            raise DocumentInvalid(kind="VO", name=d.name, problems=problems, field=d.field("passwords"))
    await store.put_passwords(conn, [d.name for d in documents], [d.spec.passwords for d in documents])
    await store.put_max_reschedules(conn, [d.name for d in documents], [d.spec.max_reschedules for d in documents])


KIND = Kind(name="VO", model=VoSpec, order=0, apply=_create_vos, instance=True)
"""The kind of documents that make VOs; once made, a VO stays."""
