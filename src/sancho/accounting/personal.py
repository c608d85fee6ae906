"""What accounting holds of a person: what they used, by the account's id alone."""

from sancho.accounting import store
from sancho.kit.personal import PersonalData

PERSONAL = PersonalData(feature="accounting", tell=store.stream_person)
