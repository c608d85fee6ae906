"""What jobs hold of a person: what they submitted and what became of it.

Descriptions stay, for outputs are explained by what made them; the printed words of jobs that have ended go.
"""

from sancho.jobs.errors import JobsNotEnded
from sancho.jobs.store import personal
from sancho.kit.db import Connection
from sancho.kit.personal import Person, PersonalData


async def _erase(conn: Connection, person: Person) -> int:
    if unended := await personal.count_unended(conn, person):
        raise JobsNotEnded(account=person.name, jobs=unended)
    return await personal.erase_person(conn, person)


PERSONAL = PersonalData(feature="jobs", tell=personal.stream_person, erase=_erase)
