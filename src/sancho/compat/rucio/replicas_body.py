"""Files that requests enter as replicas, by whichever route they come."""

from collections.abc import Sequence

from sancho.compat.rucio.errors import MetaNotKept, RseBlocked
from sancho.compat.rucio.replicas_wire import FileIn
from sancho.dids.model import FileText
from sancho.kit.access import Principal
from sancho.kit.db import Connection
from sancho.kit.extensions import Extensions
from sancho.replicas import service
from sancho.rses import service as rses

KEPT_NOT = {"guid"}
"""What clients say of every file, and what is not kept."""


async def enter(
    conn: Connection, caller: Principal, extensions: Extensions, rse_name: str, files: Sequence[FileIn], *,
    ignore_availability: bool = True,
) -> list[int]:  # fmt: skip
    """Register files as one RSE's, where they say that they lie, or else where its clients put them.

    Raises what `replicas.service.register` does, `RseBlocked`, and what of them is not had here.
    """
    for file in files:
        unkept = sorted(set(file.meta or {}) - KEPT_NOT)
        if unkept:
            raise MetaNotKept(did=file.did, key=unkept[0][:100])
    rse = await rses.get(conn, rse_name)
    if not rse.writable and not ignore_availability:
        raise RseBlocked(rse=rse_name)
    if not files:
        return []
    texts = [
        FileText(
            file.did, file.bytes, file.adler32.lower() if file.adler32 else None,
            file.pfn or rses.named_path(extensions, rse, caller.vo_name, file.scope, file.name),
            copying=file.state.startswith("C"),
        )
        for file in files
    ]  # fmt: skip
    return await service.register(conn, caller, rse_name, texts, known=True)
