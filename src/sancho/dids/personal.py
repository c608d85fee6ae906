"""What the namespace holds of a person: their scopes and DIDs, which they follow, what they wrote to exceptions.

The names of files are where they lie, and others' work rests on them, so they stay as they were given.
"""

from psycopg.errors import ForeignKeyViolation

from sancho.dids.model import scope_of
from sancho.dids.store import personal
from sancho.kit.db import Connection
from sancho.kit.personal import Person, PersonalData


async def _erase(conn: Connection, person: Person) -> int:
    cleared = await personal.clear_words(conn, person) + await personal.stop_following(conn, person)
    try:
        async with conn.transaction():
            return cleared + await personal.drop_empty_scope(conn, person, scope_of(person.name))
    except ForeignKeyViolation:  # something was to be added to it
        return cleared


PERSONAL = PersonalData(feature="dids", tell=personal.stream_person, erase=_erase)
