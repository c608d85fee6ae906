"""What identity holds of a person: the account, its groups, what proves it, its logins."""

from sancho.identity.store import personal
from sancho.kit.personal import PersonalData

PERSONAL = PersonalData(feature="identity", tell=personal.stream_person, erase=personal.erase_person)
