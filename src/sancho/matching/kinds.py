"""The kind of documents that say how many jobs may run at once."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, Field

from sancho.identity import service as identity
from sancho.identity.errors import GroupNotFound
from sancho.kit.access import Principal
from sancho.kit.db import Connection
from sancho.matching import store
from sancho.matching.model import Limit
from sancho.sites import service as sites
from sancho.vos.model import Kind, Named


class RunningLimitSpec(BaseModel, extra="forbid"):
    """At most so many jobs run at once: at a site, of a type, of a group, or of all together where none is named.

    Jobs that run already go on; of those that are over, the next begins when enough have ended. Of several limits each
    one holds.
    """

    most: Annotated[int, Field(ge=0, lt=2**31, examples=[100])]
    site: Annotated[str | None, Field(max_length=128, examples=["KEK"])] = None
    type: Annotated[str | None, Field(max_length=128, examples=["merge"])] = None
    group: Annotated[str | None, Field(max_length=63, examples=["production"])] = None


async def _apply(conn: Connection, _caller: Principal, vo: int, documents: Sequence[Named[RunningLimitSpec]]) -> None:
    groups = {group.name: group.group_id for group in await identity.groups(conn, vo)}
    found: list[Limit] = []
    for d in documents:
        if d.spec.group is not None and d.spec.group not in groups:
            raise GroupNotFound(group=d.spec.group, field=d.field("group"))
        site = None if d.spec.site is None else await sites.get_site(conn, d.spec.site, field=d.field("site"))
        found.append(
            Limit(
                key=(vo, d.name), most=d.spec.most, site_id=site and site.site_id, type=d.spec.type,
                group_id=None if d.spec.group is None else groups[d.spec.group],
            )
        )  # fmt: skip
    await store.put_limits(conn, found)


async def _retire(conn: Connection, _caller: Principal, vo: int, names: Sequence[str]) -> None:
    await store.delete_limits(conn, vo, names)


KINDS: tuple[Kind[Any], ...] = (
    Kind(
        name="RunningLimit", model=RunningLimitSpec, order=75, apply=_apply, retire=_retire, permission="jobs:manage",
        things=lambda name, _: [f"limit:{name}"],
    ),
)  # fmt: skip
