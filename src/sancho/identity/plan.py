"""Pure decisions of identity: what is beyond somebody's reach, what a token is for, who a person is."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from urllib.parse import urlsplit

from sancho.identity.model import PERMISSIONS, Client, Group, TokenScope

EVERYTHING = "sancho"
"""The word for all that an account may do."""
PRIMARY = "primary-group"
"""The word for the oldest group that an account is in."""
_IGNORED = frozenset({"openid", "profile", "email", "offline_access", "wlcg", "wlcg.groups"})
"""What OpenID clients habitually ask for; it changes what is told, not what is allowed."""
_GROUP = re.compile(r"group:([a-z0-9][a-z0-9._-]{0,62})")
_LOOPBACK = frozenset({"127.0.0.1", "::1"})


def beyond(held: frozenset[str], groups: Iterable[Group], names: Iterable[str]) -> list[str]:
    """The permissions that some of these groups, by name, give and that are not held."""
    if "*" in held:
        return []
    given = {group.name: group.permissions for group in groups}
    return sorted({permission for name in names for permission in given.get(name, ())} - held)


def token_scope(text: str) -> TokenScope | str:
    """Read a token scope; return the first word that means nothing to us when there is one.

    `sancho` is everything, as is to say nothing; `rules:create` and the like are single permissions; `group:NAME`
    limits the token to what comes with a group, `primary-group` to the account's oldest. Beside a group,
    `+jobs:manage` adds what comes with another group of the account.
    """
    words = list(dict.fromkeys(text.split()))
    groups = [found[1] for word in words if (found := _GROUP.fullmatch(word))]
    more = frozenset(word[1:] for word in words if word[0] == "+" and word[1:] in PERMISSIONS)
    beside = _IGNORED | {PRIMARY} | {f"+{permission}" for permission in more}
    asked = [w for w in words if w not in beside and not _GROUP.fullmatch(w)]
    unknown = [word for word in asked if word != EVERYTHING and word not in PERMISSIONS]
    if unknown:
        return unknown[0]
    permissions = None if EVERYTHING in asked or not asked else frozenset(asked)
    if not asked:
        words.append(EVERYTHING)
    return TokenScope(
        permissions=permissions, groups=tuple(sorted(groups)), primary=PRIMARY in words, more=more,
        openid="openid" in words, text=" ".join(words),
    )  # fmt: skip


def settled(scope: TokenScope, mine: Sequence[Group]) -> TokenScope | str:
    """Say in plain words what a scope asks of an account in these groups, the oldest first.

    Return the first word that is not the account's to ask when there is one. A scope that adds permissions of other
    groups names these, after its own, and every permission that is left of them all.
    """
    given = {group.name: frozenset(group.permissions) for group in mine}
    groups = list(scope.groups) or ([mine[0].name] if scope.primary and mine else [])
    strange = [group for group in groups if group not in given]
    if strange or (scope.primary and not groups):
        return f"group:{strange[0]}" if strange else PRIMARY
    held = frozenset[str]().union(*(given[name] for name in groups or given))
    permissions = scope.permissions
    for permission in sorted(scope.more):
        source = next((name for name in [*groups, *given] if _gives(given[name], permission)), None)
        if source is None:
            return f"+{permission}"
        if source not in groups and groups:
            groups.append(source)
            permissions = held if permissions is None else permissions
        permissions = None if permissions is None else permissions | {permission}
    words = [word for word in scope.text.split() if word in _IGNORED]
    words += [f"group:{name}" for name in groups]
    words += [EVERYTHING] if permissions is None else sorted(permissions)
    return TokenScope(permissions=permissions, groups=tuple(sorted(groups)), openid=scope.openid, text=" ".join(words))


def _gives(permissions: frozenset[str], permission: str) -> bool:
    return "*" in permissions or permission in permissions


def narrower(wanted: TokenScope, held: TokenScope) -> bool:
    """Say whether a token for `wanted` allows nothing that one for `held` does not."""
    fewer = held.permissions is None or (wanted.permissions is not None and wanted.permissions <= held.permissions)
    return fewer and (not held.groups or (bool(wanted.groups) and set(wanted.groups) <= set(held.groups)))


def allowed(scope: TokenScope, permissions: Iterable[str]) -> frozenset[str]:
    """What of an account's permissions is left to a token."""
    held = frozenset(permissions)
    if scope.permissions is None:
        return held
    return scope.permissions if "*" in held else held & scope.permissions


def may_redirect(client: Client, uri: str, *, here: str) -> bool:
    """Say whether a client's codes may be sent to a URI: exactly what was registered, or a loopback address.

    Of the loopback any port will do (RFC 8252 §7.3); names are refused, since they can be made to mean another host.
    `here` is the URL of this server.
    """
    if uri in {f"{here}{to}" if to.startswith("/") else to for to in client.redirects}:
        return True
    try:
        parts = urlsplit(uri)
        host, port = parts.hostname, parts.port
    except ValueError:
        return False
    plain = not parts.username and not parts.password and not parts.fragment and "\\" not in uri
    return client.loopback and parts.scheme == "http" and host in _LOOPBACK and port is not None and plain


def is_member(theirs: Collection[str], members: Sequence[str]) -> bool:
    """Say whether somebody in these groups is a member; when no group is named, everybody is."""
    return not members or any(_within(group, name) for group in theirs for name in members)


def _within(group: str, name: str) -> bool:
    return group == name or (name.startswith("/") and group.startswith(f"{name}/"))


def groups_of(
    theirs: Collection[str], mapping: Mapping[str, str], ours: Collection[str], vo_name: str
) -> tuple[set[str], set[str]]:
    """The groups of ours that somebody is in by a provider's word, and all those on which it has a say.

    `mapping` says which group of theirs is which of ours. Without one, `/VO/NAME` is our group NAME, if there is one.
    Nobody becomes an administrator by the likeness of names.
    """
    if mapping:
        return {mapping[g] for g in theirs if mapping.get(g) in ours}, set(mapping.values())
    governed = {name for name in ours if name != "admins"}
    named = {group.removeprefix(f"/{vo_name}/") for group in theirs if group.startswith(f"/{vo_name}/")}
    return named & governed, governed - {"users"}


def account_name(wanted: str | None, email: str | None, taken: Collection[str]) -> str:
    """A name for a new account: what its person is called elsewhere, in our letters, with a number when taken."""
    stem = re.sub(r"[^a-z0-9._-]+", "-", (wanted or (email or "").partition("@")[0]).lower()).strip("-._")[:50]
    stem = stem if re.fullmatch(r"[a-z0-9][a-z0-9._-]*", stem) else "user"
    number = 1
    while (name := stem if number == 1 else f"{stem}-{number}") in taken:
        number += 1
    return name


def is_unbelievable(out: int, active: int, *, listed: int) -> bool:
    """Say whether a list of people is more likely broken than right: it is empty, or would suspend nearly everybody.

    `out` of `active` accounts would be suspended at once: all of several, or more than half of more than ten.
    """
    return out > 0 and (listed == 0 or (active > 1 and out == active) or (active > 10 and 2 * out > active))
