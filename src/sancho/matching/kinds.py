"""The kinds of documents that say how many jobs may run at once, and what counts when it is chosen where."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, Field

from sancho.identity import service as identity
from sancho.identity.errors import GroupNotFound
from sancho.kit.access import Principal
from sancho.kit.db import Connection
from sancho.kit.units import Size
from sancho.matching import store
from sancho.matching.model import THROUGHPUT, Limit, Weights
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


Weight = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]


class RankWeightsSpec(BaseModel, extra="forbid"):
    """What is weighed when a place is chosen for the VO's jobs, in points: a unit of its own, only proportions count.

    A job at a place costs `hour` for each hour until it ends there, `money` for each unit of what its core-hours are
    priced, and `carbon` for each kilogram of CO2; less is better. Fair shares, limits and priorities come first.
    """

    hour: Annotated[Weight, Field(examples=[1])] = 0
    """What an hour is worth by which a job ends sooner."""
    money: Annotated[Weight, Field(examples=[10])] = 0
    """What a unit of money is worth, of that in which the prices of compute elements are."""
    carbon: Annotated[Weight, Field(examples=[5])] = 0
    """What a kilogram of CO2 is worth."""
    throughput: Annotated[Size, Field(ge=1, examples=["100 MB"])] = THROUGHPUT
    """Bytes a second at which a job reads what is at other sites."""


async def _apply_weights(
    conn: Connection, _caller: Principal, vo: int, documents: Sequence[Named[RankWeightsSpec]]
) -> None:
    said = documents[-1].spec  # there is one name, so one document
    weights = Weights(hour=said.hour, money=said.money, carbon=said.carbon, throughput=said.throughput)
    await store.put_weights(conn, vo, weights)


async def _retire_weights(conn: Connection, _caller: Principal, vo: int, _names: Sequence[str]) -> None:
    await store.delete_weights(conn, vo)


KINDS: tuple[Kind[Any], ...] = (
    Kind(
        name="RunningLimit", model=RunningLimitSpec, order=75, apply=_apply, retire=_retire, permission="jobs:manage",
        things=lambda name, _: [f"limit:{name}"],
    ),
    Kind(
        name="RankWeights", model=RankWeightsSpec, order=75, apply=_apply_weights, retire=_retire_weights,
        names="default", permission="jobs:manage",
    ),
)  # fmt: skip
