"""What uploads hold of a person: the files they were about to add, by the account's id alone."""

from sancho.kit.personal import PersonalData
from sancho.uploads import store

PERSONAL = PersonalData(feature="uploads", tell=store.stream_person)
