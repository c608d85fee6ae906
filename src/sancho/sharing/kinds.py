"""The kind of documents by which a VO lets others read a dataset."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, Field

from sancho.dids import service as dids
from sancho.kit.access import Principal
from sancho.kit.db import Connection
from sancho.kit.policy import did as thing
from sancho.sharing.model import KIND
from sancho.sites.service import VoName
from sancho.vos import service as vos
from sancho.vos.errors import VoNotFound
from sancho.vos.model import Kind, Named


class DatasetGrantSpec(BaseModel, extra="forbid"):
    """Lets other VOs read the dataset or container that the document is named after, and all that is in it."""

    to: Annotated[list[VoName], Field(min_length=1, max_length=1000, examples=[["gridpp"]])]
    """Who may read it; when one goes, it may not from that moment on."""


async def _apply(
    conn: Connection, _caller: Principal, vo: int, documents: Sequence[Named[DatasetGrantSpec]]
) -> None:  # fmt: skip
    known = {v.name for v in await vos.list_vos(conn)}
    for d in documents:
        await dids.get_collection(conn, vo, d.name)
        for i, name in enumerate(d.spec.to):
            if name not in known:
                raise VoNotFound(vo=name, field=d.field(f"to.{i}"))


async def _retire(_conn: Connection, _caller: Principal, _vo: int, _names: Sequence[str]) -> None:
    """The document was the grant."""


KINDS: tuple[Kind[Any], ...] = (
    Kind(
        name=KIND, model=DatasetGrantSpec, order=80, apply=_apply, retire=_retire,
        names=r"[A-Za-z0-9][A-Za-z0-9._-]{0,29}:[^\x00-\x20]{1,169}", permission="dids:manage",
        things=lambda name, _: [thing(name)],
    ),
)  # fmt: skip
