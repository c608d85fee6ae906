"""What rules hold of a person: their rules with what they wrote to them, quotas and usage."""

from sancho.kit.personal import PersonalData
from sancho.rules.store import personal

PERSONAL = PersonalData(feature="rules", tell=personal.stream_person, erase=personal.erase_person)
