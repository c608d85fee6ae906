"""What a VO asks of new names: those of scopes, files, datasets and containers may each have a pattern."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from sancho.dids.errors import DidMalformed, ScopeMalformed
from sancho.dids.model import DidKind, Nameable, NameSchema, parse_did
from sancho.dids.service.values import fits
from sancho.dids.store import naming, rows
from sancho.kit.db import Connection


async def put_schemas(conn: Connection, vo: int, wanted: Mapping[Nameable, NameSchema]) -> None:
    """Ask this of new names from now on; what is there keeps its name."""
    await naming.put(conn, vo, wanted)


async def remove_schemas(conn: Connection, vo: int, kinds: Sequence[Nameable]) -> None:
    """Ask nothing more of names of these kinds."""
    await naming.delete(conn, vo, kinds)


async def check_names(
    conn: Connection, vo: int, wanted: Iterable[tuple[str, DidKind]], *, field: Callable[[int], str]
) -> None:
    """Raise `DidMalformed` for the first of these new DIDs whose name is none that the VO wants for its kind."""
    schemas = await naming.schemas(conn, vo)
    for n, (did, kind) in enumerate(wanted):
        schema = schemas.get(Nameable(kind))
        if schema is not None and not fits(schema.pattern, parse_did(did, field=field(n))[1]):
            reason = f"the VO wants names of {kind.word}s to match {schema.pattern}, as {schema.example} does"
            raise DidMalformed(did=did, reason=reason, field=field(n))


async def check_scopes(conn: Connection, vo: int, names: Collection[str], *, field: Callable[[str], str]) -> None:
    """Raise `ScopeMalformed` for the first of these that is not there yet and has no name that the VO wants."""
    schema = (await naming.schemas(conn, vo)).get(Nameable.SCOPE)
    if schema is None:
        return
    there = {scope.name for scope in await rows.find_scopes(conn, vo, list(names))}
    for name in names:
        if name not in there and not fits(schema.pattern, name):
            reason = f"the VO wants names of scopes to match {schema.pattern}, as {schema.example} does"
            raise ScopeMalformed(scope=name, reason=reason, field=field(name))
