"""DIDs by path, and directories."""

from datetime import datetime
from typing import Annotated, Literal, Self

from fastapi import Query
from pydantic import BaseModel, Field

from sancho.dids import service
from sancho.dids.api.catalogue import LISTED_AT_ONCE, PRINTABLE, DidInfo, DidOut
from sancho.dids.errors import PathMalformed, PathNotFound
from sancho.dids.model import Did, Entry, Tally
from sancho.kit.problem import problems
from sancho.kit.web import Caller, Transaction, native

router = native(tags=["dids"])


class PathQuery(BaseModel, extra="forbid"):
    """Which part of a directory to list; `sizes` asks for what is below collections too."""

    sizes: bool = False
    cursor: Annotated[str, Field(max_length=300, pattern=PRINTABLE)] = ""
    limit: Annotated[int, Field(ge=0, le=LISTED_AT_ONCE)] = 100


class EntryOut(BaseModel):
    """What lies in a directory: a DID, or another directory, whose path ends with `/`.

    `files` and `size` are what is below a directory at any depth; `size` is that of a file as well.
    """

    path: str
    kind: Literal["file", "dataset", "container", "directory"]
    did: str | None
    open: bool | None
    files: int | None
    size: int | None
    adler32: str | None
    account: str | None
    created_at: datetime | None

    @classmethod
    def of(cls, vo: str, entry: Entry) -> Self:
        """The same as the API says it."""
        path = "".join(f"/{part}" for part in (vo, entry.scope, entry.name) if part)
        is_directory = entry.kind is None
        return cls.model_validate({
            "path": f"{path}/" if is_directory else path, "kind": entry.kind.word if entry.kind else "directory",
            "did": None if is_directory else f"{entry.scope}:{entry.name}", "open": entry.open, "files": entry.files,
            "size": entry.size, "adler32": entry.adler32, "account": entry.account, "created_at": entry.created_at,
        })  # fmt: skip


class Below(BaseModel):
    """Files and bytes below a directory, at any depth."""

    files: int
    size: int


class PathOut(BaseModel):
    """What is at a path: the DID of this name, or the directory with a page of what lies in it, or both."""

    path: str
    did: DidInfo | None
    directory: Below | None
    items: list[EntryOut]
    next: str | None

    @classmethod
    def of(cls, vo: str, found: service.Found, limit: int) -> Self:
        """The same as the API says it."""
        items = [EntryOut.of(vo, entry) for entry in found.entries]
        last = items[-1].path if limit and len(items) == limit and found.path.vo else None
        return cls(
            path=found.path.text,
            did=None if found.did is None else _info(found.did, found.of_did),
            directory=None
            if found.directory is None
            else Below(files=found.directory.files, size=found.directory.size),
            items=items,
            next=None if last is None else last.rstrip("/").rpartition("/")[2] + "/" * last.endswith("/"),
        )


@router.get("/paths", responses=problems(PathMalformed))
async def show_root(query: Annotated[PathQuery, Query()], caller: Caller, conn: Transaction) -> PathOut:
    """Show the directory above all: in it lies that of one's own VO."""
    return await show_path(query, caller, conn, "")


@router.get("/paths/{path:path}", responses=problems(PathMalformed, PathNotFound))
async def show_path(query: Annotated[PathQuery, Query()], caller: Caller, conn: Transaction, path: str) -> PathOut:
    """Show what is at a path, `/VO/SCOPE/NAME`: the DID, the directory that names with this beginning make, or both.

    With a `/` at its end only the directory is meant. What is directly in a directory comes in pages, by name.
    """
    found = await service.look(conn, caller, path, after=query.cursor, limit=query.limit, sizes=query.sizes)
    return PathOut.of(caller.vo_name, found, query.limit)


def _info(did: Did, below: Tally) -> DidInfo:
    return DidInfo.model_validate({**DidOut.fields_of(did), "files": below.files, "total_size": below.size})
