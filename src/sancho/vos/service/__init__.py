"""The door of VOs: find one, apply documents, go back to a version."""

from sancho.vos.service.applying import (
    MOST_DOCUMENTS,
    apply,
    rollback,
)
from sancho.vos.service.making import (
    KIND,
    VoSpec,
    shares,
)
from sancho.vos.service.reading import (
    acting,
    changes,
    current_version,
    documents,
    documents_after,
    find,
    find_spec,
    get,
    list_vos,
    lock_configuration,
    versions,
)

__all__ = [
    "KIND", "MOST_DOCUMENTS", "VoSpec", "acting", "apply", "changes", "current_version", "documents", "documents_after",
    "find", "find_spec", "get", "list_vos", "lock_configuration", "rollback", "shares", "versions",
]  # fmt: skip
