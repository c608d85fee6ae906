"""Files that requests enter as replicas, by whichever route they come."""

from collections.abc import Sequence

from sancho.compat.rucio.replicas_wire import FileIn
from sancho.compat.rucio.rses_errors import RseBlocked
from sancho.dids import service as dids
from sancho.dids.model import FileText
from sancho.kit.access import Principal
from sancho.kit.db import Connection
from sancho.kit.extensions import Extensions
from sancho.rses import service as rses
from sancho.uploads import service as uploads


async def enter(
    conn: Connection, caller: Principal, extensions: Extensions, rse_name: str, files: Sequence[FileIn], *,
    ignore_availability: bool = True,
) -> list[int]:  # fmt: skip
    """Register files as one RSE's, where they say that they lie, or else where its clients put them; describe them.

    Raises what `uploads.service.announce` and `dids.service.describe` do, and `RseBlocked`.
    """
    rse = await rses.get(conn, rse_name)
    if not rse.writable and not ignore_availability:
        raise RseBlocked(rse=rse_name)
    if not files:
        return []
    texts = [
        FileText(
            file.did, file.bytes, file.adler32.lower() if file.adler32 else None,
            file.pfn or rses.named_path(extensions, rse, caller.vo_name, file.scope, file.name),
            copying=file.state.startswith("C"), guid=_guid(file), md5=file.md5.lower() if file.md5 else None,
        )
        for file in files
    ]  # fmt: skip
    made = await uploads.announce(conn, caller, extensions, rse_name, texts)
    said = [{key: value for key, value in (file.meta or {}).items() if key != "guid"} for file in files]
    places = [n for n, document in enumerate(said) if document]
    if places:
        documents = [(files[n].did, said[n]) for n in places]
        await dids.describe(conn, caller, documents, field=lambda n: f"files.{places[n]}.meta")
    return made


def _guid(file: FileIn) -> str | None:
    """The GUID of a file, which clients say with its metadata."""
    said = (file.meta or {}).get("guid")
    return str(said) if said else None
