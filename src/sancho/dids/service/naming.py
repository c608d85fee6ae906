"""What a VO asks of the names of new DIDs: files, datasets and containers may each have a pattern."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from sancho.dids.errors import DidMalformed
from sancho.dids.model import DidKind, NameSchema, parse_did
from sancho.dids.service.values import fits
from sancho.dids.store import naming
from sancho.kit.db import Connection


async def put_schemas(conn: Connection, vo: int, wanted: Mapping[DidKind, NameSchema]) -> None:
    """Ask this of new names from now on; DIDs that are there keep theirs."""
    await naming.put(conn, vo, wanted)


async def remove_schemas(conn: Connection, vo: int, kinds: Sequence[DidKind]) -> None:
    """Ask nothing more of names of these kinds."""
    await naming.delete(conn, vo, kinds)


async def check_names(
    conn: Connection, vo: int, wanted: Iterable[tuple[str, DidKind]], *, field: Callable[[int], str]
) -> None:
    """Raise `DidMalformed` for the first of these new DIDs whose name is none that the VO wants for its kind."""
    schemas = await naming.schemas(conn, vo)
    for n, (did, kind) in enumerate(wanted):
        schema = schemas.get(kind)
        if schema is not None and not fits(schema.pattern, parse_did(did, field=field(n))[1]):
            reason = f"the VO wants names of {kind.word}s to match {schema.pattern}, as {schema.example} does"
            raise DidMalformed(did=did, reason=reason, field=field(n))
