"""What the configuration's history holds of a person: their account's documents, and what they applied."""

from sancho.kit.personal import PersonalData
from sancho.vos import store

PERSONAL = PersonalData(feature="vos", tell=store.stream_person, erase=store.erase_person)
