"""What policies and the audit log hold of a person.

Rows of the log stay as they are: they are sealed, whoever could change one could change any, and who did what is
what the log is for. They name an account and never an address or a proof, and nothing tells which pseudonym it got.
"""

from sancho.decisions import store
from sancho.kit.personal import PersonalData

PERSONAL = PersonalData(feature="decisions", tell=store.stream_person, erase=store.erase_person)
