"""What replicas hold of a person: what they said of some, and why."""

from sancho.kit.personal import PersonalData
from sancho.replicas.store import personal

PERSONAL = PersonalData(feature="replicas", tell=personal.stream_person, erase=personal.erase_person)
