"""What tests of metadata begin with: keys of every kind, and who says what."""

from collections.abc import Mapping
from typing import Any

from sancho.dids import service
from sancho.dids.kinds import KINDS
from sancho.dids.model import DidKind, Search
from sancho.kit.db import Connection
from sancho.kit.query import parse
from sancho.vos import service as vos
from sancho.vos.model import Document
from tests.dids.given import person
from tests.world import World

KEYS: Mapping[str, Mapping[str, Any]] = {
    "run": {"kind": "integer", "minimum": 1, "maximum": 10**9},
    "energy": {"kind": "number", "unit": "GeV"},
    "stream": {"kind": "text", "vocabulary": ["physics", "cosmics"]},
    "campaign": {"kind": "text", "pattern": "[A-Z]+[0-9]*"},
    "good": {"kind": "boolean"},
    "taken_at": {"kind": "time"},
    "detector": {"kind": "texts"},
    "weights": {"kind": "numbers"},
    "trigger": {"kind": "text", "indexed": False},
    "seed": {"kind": "integer", "indexed": False},
    "title": {"kind": "text", "dids": ["dataset"]},
}
"""One of every kind and more."""


async def apply(conn: Connection, world: World, vo: str = "belle", /, **specs: Mapping[str, Any] | None) -> None:
    """Apply documents of keys; None: let it go."""
    number = {"belle": world.belle, "gridpp": world.gridpp}[vo]
    documents = [
        Document(kind="MetadataKey", name=name, vo=vo, spec=dict(spec or {}), remove=spec is None)
        for name, spec in specs.items()
    ]
    await vos.apply(conn, person(world, "root", "*", vo=number), documents, KINDS)


async def say(conn: Connection, world: World, name: str, account: str = "alice", **said: Any) -> None:
    """Let a DID of scope `mc` say something."""
    await service.describe(conn, person(world, account), [(f"mc:{name}", said)])


async def said(conn: Connection, world: World, name: str, *, inherit: bool = False) -> dict[str, Any]:
    """What a DID of scope `mc` says."""
    (found,) = await service.descriptions(conn, world.belle, [f"mc:{name}"], inherit=inherit)
    return found.document


async def found(conn: Connection, world: World, where: str | None, *, limit: int = 1000, **more: Any) -> list[str]:
    """Names of what a search finds, page by page."""
    wanted = None if where is None else parse(where)
    kinds = more.pop("kinds", tuple(DidKind))
    asked = Search(wanted=wanted, kinds=kinds, **more)
    names: list[str] = []
    following: int | None = 0
    while following is not None:
        page, following = await service.search_page(conn, world.belle, asked, after=following, limit=limit)
        assert len(page) <= limit
        names += [did.name for did in page]
    return names
