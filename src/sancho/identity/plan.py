"""Pure decisions of identity: what is beyond somebody's reach."""

from collections.abc import Iterable

from sancho.identity.model import Group


def beyond(held: frozenset[str], groups: Iterable[Group], names: Iterable[str]) -> list[str]:
    """The permissions that some of these groups, by name, give and that are not held."""
    if "*" in held:
        return []
    given = {group.name: group.permissions for group in groups}
    return sorted({permission for name in names for permission in given.get(name, ())} - held)
