"""Open data in Rucio's words: pure."""

from typing import Any

from sancho.compat.rucio.opendata_wire import ShowQuery
from sancho.compat.rucio.translate import date_of
from sancho.dids.model import NamedFile, Publication


def publication_of(one: Publication, asked: ShowQuery | None = None) -> dict[str, Any]:
    """A publication, with what was `asked` for."""
    said: dict[str, Any] = {
        "scope": one.scope, "name": one.name, "state": one.state.name, "created_at": date_of(one.created_at),
        "updated_at": date_of(one.changed_at),
    }  # fmt: skip
    if asked is not None and asked.doi:
        said["doi"] = one.doi
    if asked is not None and asked.record_id:
        said["record_id"] = one.record_id
    if asked is not None and asked.meta:
        said["meta"] = one.about
    return said


def file_of(file: NamedFile) -> dict[str, Any]:
    """A file below a publication."""
    return {"scope": file.scope, "name": file.name, "bytes": file.size, "adler32": file.adler32}
