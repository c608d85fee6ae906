"""What every DID is searched by: its own columns, and what is below it.

SQL in it may use `d`, the DID, `s`, its scope, `a`, its account, and the parameter `vo`.
"""

from collections.abc import Mapping
from typing import LiteralString

from psycopg import sql

from sancho.dids.model import ADLER32, MD5, DidKind, pack_adler32, read_guid
from sancho.kit.search import FieldKind, SearchField

_UNDER: LiteralString = """
        WITH RECURSIVE under (did_id, kind) AS (
            SELECT d.did_id, d.kind
             UNION
            SELECT inside.child_id, n.kind
              FROM under
             CROSS JOIN LATERAL (
                   SELECT t.child_id FROM attachment t
                    WHERE t.parent_id = under.did_id AND t.vo = %(vo)s AND under.kind = 'C' OFFSET 0) AS inside
              JOIN did n ON n.did_id = inside.child_id AND n.vo = %(vo)s)
"""
_COUNTED: LiteralString = """
          FROM under JOIN collection_tally tally ON tally.did_id = under.did_id AND tally.vo = %(vo)s
"""
FILES = sql.SQL(
    "CASE WHEN d.kind <> 'F' THEN (" + _UNDER + "SELECT coalesce(sum(tally.files), 0)::bigint" + _COUNTED + ") END"
)
"""How many files are below a collection, as `reading.tallies` has it."""
TOTAL_SIZE = sql.SQL(
    "CASE d.kind WHEN 'F' THEN d.size ELSE ("
    + _UNDER
    + "SELECT coalesce(sum(tally.size), 0)::bigint"
    + _COUNTED
    + ") END"
)
"""The bytes of a file, or of all that is below a collection."""
ENDS_AT = sql.SQL("(SELECT e.ends_at FROM ending e WHERE e.did_id = d.did_id AND e.vo = %(vo)s)")


def _kind(text: str) -> str | None:
    return next((kind.value for kind in DidKind if kind.word == text.lower()), None)


def _adler32(text: str) -> int | None:
    return pack_adler32(text) if ADLER32.fullmatch(text) else None


def _md5(text: str) -> str | None:
    return text if MD5.fullmatch(text) else None


FIELDS: Mapping[str, SearchField] = {
    field.name: field
    for field in (
        SearchField(name="name", kind=FieldKind.TEXT, value=sql.SQL("d.name"), cast="text"),
        SearchField(name="scope", kind=FieldKind.TEXT, value=sql.SQL("s.name"), cast="text"),
        SearchField(name="kind", kind=FieldKind.WORD, value=sql.SQL("d.kind"), cast='"char"', read=_kind),
        SearchField(name="account", kind=FieldKind.TEXT, value=sql.SQL('(a.name COLLATE "C")'), cast="text"),
        SearchField(name="size", kind=FieldKind.INTEGER, value=sql.SQL("d.size"), cast="bigint"),
        SearchField(name="adler32", kind=FieldKind.WORD, value=sql.SQL("d.adler32"), cast="int", read=_adler32),
        SearchField(name="created_at", kind=FieldKind.TIME, value=sql.SQL("d.created_at"), cast="timestamptz"),
        SearchField(name="open", kind=FieldKind.BOOLEAN, value=sql.SQL("d.open"), cast="bool"),
        SearchField(name="md5", kind=FieldKind.WORD, value=sql.SQL("d.md5"), cast="uuid", read=_md5),
        SearchField(name="monotonic", kind=FieldKind.BOOLEAN, value=sql.SQL("d.monotonic"), cast="bool"),
        SearchField(name="files", kind=FieldKind.INTEGER, value=FILES, cast="bigint"),
        SearchField(name="total_size", kind=FieldKind.INTEGER, value=TOTAL_SIZE, cast="bigint"),
        SearchField(name="ends_at", kind=FieldKind.TIME, value=ENDS_AT, cast="timestamptz"),
        SearchField(name="guid", kind=FieldKind.WORD, value=sql.SQL("d.guid"), cast="uuid", read=read_guid),
    )
}
"""What every DID has. A collection has neither size, checksums nor GUID, and not every file has them.

`files` and `total_size` are of what is below a collection: asked for of each that the other tests leave.
"""
