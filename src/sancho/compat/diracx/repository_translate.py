"""From the sections of a DiracX configuration to what they mean here. What means nothing is reported, path by path."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sancho.compat.diracx.config_wire import BETWEEN, FREE_SECTIONS, SHARE
from sancho.compat.diracx.repository_errors import RepositoryUnfit
from sancho.compat.diracx.repository_wire import Group, IdentityProvider, Renamed, Report, Said, User, Vo
from sancho.compat.diracx.translate import PROPERTIES, permissions_of
from sancho.identity.model import DEFAULT_GROUPS
from sancho.kit.secrets import find_said
from sancho.vos.model import INSTANCE_NAME, LOWER_NAME

DEFAULTS = "Defaults"
NOTHING = "nothing here is like it"
ORDINARY: dict[str, object] = {
    "AllowBackgroundTQs": False, "AutoAddVOMS": False, "AutoSyncVOMS": False, "AutoUploadPilotProxy": False,
    "AutoUploadProxy": False, "DefaultProxyLifeTime": 43_200, "DefaultStorageQuota": 0,
}  # fmt: skip
"""What is so when nobody says otherwise: to say it is to say nothing."""
EMPTY: tuple[object, ...] = (None, {}, [])
EMAIL = re.compile(r"[^@\s]{1,200}@[^@\s]{1,50}")
CERTIFICATE = re.compile(r"(?:/[A-Za-z0-9.]+=[^/\x00-\x1f]+)(?:/[^\x00-\x1f]+)?")
OPTION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9 ._:-]{0,99}")
MOST_OPTIONS, LONGEST_OPTION, LONGEST_NAME = 200, 2000, 1000
Tree = dict[str, Any]


@dataclass
class _Section:
    """A section of which one takes what one understands; the rest is left over."""

    file: str
    path: str
    report: Report
    tree: Tree

    def section(self, name: str) -> "_Section":
        """Take a section; an empty one when there is none."""
        return self._as_section(name, self.tree.pop(name, None))

    def sections(self) -> Iterator[tuple[str, "_Section"]]:
        """Take all, which are sections."""
        for name in list(self.tree):
            yield name, self.section(name)

    def _as_section(self, name: str, value: Any) -> "_Section":
        if value is not None and not isinstance(value, dict):
            raise self.unfit(name, "should be a section")
        return _Section(self.file, self.below(name), self.report, dict(cast(Tree, value or {})))

    def text(self, name: str) -> str | None:
        """Take a text; numbers are texts, too."""
        value = self.tree.pop(name, None)
        if value is None or (isinstance(value, str) and not value.strip()):
            return None
        if isinstance(value, dict | list | bool):
            raise self.unfit(name, "should be a text")
        return str(value).strip()

    def needed(self, name: str) -> str:
        """Take a text that must be there."""
        value = self.text(name)
        if value is None:
            raise self.unfit(name, "is missing")
        return value

    def texts(self, name: str) -> list[str]:
        """Take a list of texts, or one text with commas in it, as DIRAC has them."""
        value = self.tree.pop(name, None)
        if value is None or isinstance(value, str):
            return [word.strip() for word in (value or "").split(",") if word.strip()]
        if not isinstance(value, list) or any(isinstance(one, dict | list | None) for one in cast(list[object], value)):
            raise self.unfit(name, "should be a list of texts")
        return [str(one) for one in cast(list[object], value)]

    def number(self, name: str, default: float) -> float:
        """Take a number of at least nothing."""
        value = self.tree.pop(name, None)
        if value is None:
            return default
        try:
            number = float(value) if not isinstance(value, bool) else -1
        except (TypeError, ValueError, OverflowError):
            number = -1
        if not 0 <= number <= 1e9:
            raise self.unfit(name, "should be a number from 0 to a thousand million")
        return number

    def leave(self, why: str = NOTHING) -> None:
        """Report all that nobody took."""
        for name, value in self.tree.items():
            self._leave(self.below(name), name, value, why)

    def _leave(self, path: str, name: str, value: Any, why: str) -> None:
        if isinstance(value, dict) and value:
            for inner, below in cast(Tree, value).items():
                self._leave(f"{path}/{inner}", inner, below, why)
        elif value not in EMPTY and ORDINARY.get(name, self) != value:
            self.report.leave(path, why)

    def below(self, name: str) -> str:
        """The path of what is called this here."""
        return f"{self.path}/{name}" if self.path else name

    def unfit(self, name: str, problem: str) -> RepositoryUnfit:
        """Say what is wrong here."""
        return RepositoryUnfit(file=self.file, place=self.below(name), problem=problem)

    def named(self, names: Mapping[str, str], *, reserved: frozenset[str] = frozenset()) -> dict[str, str]:
        """What these, by where they stand, are called here: in small letters, no two alike; the rest is reported."""
        made: dict[str, str] = {}
        for place, name in names.items():
            ours = re.sub(r"[^a-z0-9._-]+", "-", name.lower()).lstrip("._-")[:63]
            ours = f"dirac-{ours}"[:63] if ours in reserved else ours
            if not re.fullmatch(LOWER_NAME, ours):
                self.report.leave(self.below(place), "nothing here can be called so")
            elif ours in made.values():
                self.report.leave(self.below(place), f"another one is called {ours} already")
            else:
                made[place] = ours
                if ours != name:
                    self.report.renamed.append(Renamed(path=self.below(place), name=ours))
        return made


def read(tree: Tree, file: str) -> Said:
    """Say what a configuration means here, and report the rest; raises `RepositoryUnfit`, naming file and path."""
    report = Report()
    top = _Section(file, "", report, dict(tree))
    registry, operations = top.section("Registry"), top.section("Operations")
    if not registry.tree:
        raise top.unfit("Registry", "is missing, or names no VO")
    called = registry.named(dict(zip(registry.tree, registry.tree, strict=True)), reserved=frozenset({INSTANCE_NAME}))
    defaults = operations.section(DEFAULTS)
    vos = [
        _vo(section, called[vo], _settings(operations.section(vo), defaults.tree))
        for vo, section in registry.sections()
        if vo in called
    ]
    _Section(file, defaults.path, report, {n: v for n, v in defaults.tree.items() if n not in FREE_SECTIONS}).leave()
    operations.leave("no VO of the registry is called so")
    top.leave()
    return Said(vos=vos, report=report)


def _vo(said: _Section, name: str, settings: Mapping[str, Mapping[str, Any]]) -> Vo:
    support, idp = said.section("Support"), said.section("IdP")
    provider = None
    if idp.tree:
        provider = IdentityProvider(path=idp.path, issuer=idp.needed("URL"), client_id=idp.needed("ClientID"))
    users, groups = said.section("Users"), said.section("Groups")
    group_names = groups.named(dict(zip(groups.tree, groups.tree, strict=True)), reserved=_all_powerful())
    made: dict[str, Group] = {}
    members: dict[str, list[str]] = {}
    for group, section in groups.sections():
        if group in group_names:
            made[group_names[group]] = _group(section)
            for subject in section.texts("Users"):
                members.setdefault(subject, []).append(group_names[group])
            section.leave()
    vo = Vo(
        path=said.path, name=name, email=_email(support, "Email"), provider=provider, groups=made,
        users=_users(users, members, said.path.rpartition("/")[2]), settings=settings,
    )  # fmt: skip
    known = {user.subject for user in vo.users.values()}
    for subject in sorted(members.keys() - known):
        said.report.leave(f"{groups.path}/*/Users/{subject}", "no user of the VO has this subject")
    if said.text("DefaultGroup") is not None:
        said.report.leave(said.below("DefaultGroup"), "who names no group at a login acts in the oldest of theirs")
    for section in (support, idp, said):
        section.leave()
    return vo


def _all_powerful() -> frozenset[str]:
    return frozenset(name for name, permissions in DEFAULT_GROUPS.items() if "*" in permissions)


def _group(said: _Section) -> Group:
    properties = said.texts("Properties")
    for name in properties:
        if name not in PROPERTIES:
            said.report.leave(f"{said.path}/Properties/{name}", "no permission here amounts to it")
    permissions = permissions_of(name for name in properties if name in PROPERTIES)
    share = round(said.number("JobShare", SHARE) / SHARE, 6)
    return Group(path=said.path, permissions=tuple(permissions), share=share)


def _users(users: _Section, members: Mapping[str, Sequence[str]], vo: str) -> dict[str, User]:
    sections = dict(users.sections())
    called = users.named({subject: section.needed("PreferedUsername") for subject, section in sections.items()})
    made: dict[str, User] = {}
    for subject, name in called.items():
        section = sections[subject]
        suspended = section.texts("Suspended")
        for other in sorted({*suspended} - {vo}):
            section.report.leave(f"{section.path}/Suspended/{other}", "each VO suspends its own accounts")
        made[name] = User(
            path=section.path, subject=subject, email=_email(section, "Email"), suspended=vo in suspended,
            groups=tuple(members.get(subject, ())), certificates=_certificates(section),
        )  # fmt: skip
        section.leave()
    return made


def _email(said: _Section, name: str) -> str | None:
    email = said.text(name)
    if email is not None and not EMAIL.fullmatch(email):
        said.report.leave(said.below(name), "is no address")
        return None
    return email


def _certificates(said: _Section) -> tuple[str, ...]:
    # Names have commas in them, so a text is one name.
    dns = said.tree.get("DNs")
    names = [dns.strip()] if isinstance(dns, str) and dns.startswith("/") else said.texts("DNs")
    said.tree.pop("DNs", None)
    good = [name for name in dict.fromkeys(names) if len(name) <= LONGEST_NAME and CERTIFICATE.fullmatch(name)]
    for place, name in enumerate(names):
        if name not in good:
            said.report.leave(f"{said.path}/DNs/{place}", "is no name of a certificate, such as /DC=org/CN=Jane Doe")
    return tuple(good)


def _settings(own: _Section, defaults: Tree) -> dict[str, dict[str, Any]]:
    """The free sections of a VO, with what holds for all VOs where it says nothing itself."""
    made: dict[str, dict[str, Any]] = {}
    for name in FREE_SECTIONS:
        both = _merged(defaults.get(name), own.tree.pop(name, None))
        if both is None:
            continue
        if not isinstance(both, dict):
            raise own.unfit(name, "should be a section")
        options = dict(_options(own, name, cast(Tree, both), ()))
        for beyond in list(options)[MOST_OPTIONS:]:
            own.report.leave(f"{own.below(name)}/{beyond}", f"a section has {MOST_OPTIONS} options at most")
            del options[beyond]
        if options:
            made[name] = options
    own.leave()
    return made


def _merged(default: object, own: object) -> object:
    if isinstance(default, dict) and isinstance(own, dict):
        below, above = cast(Tree, default), cast(Tree, own)
        return {name: _merged(below.get(name), above.get(name)) for name in {**below, **above}}
    return cast(object, default if own is None else own)


def _options(said: _Section, section: str, tree: Tree, outer: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        path = (*outer, name)
        if isinstance(value, dict):
            yield from _options(said, section, cast(Tree, value), path)
            continue
        option, told = BETWEEN.join(path), _option(value)
        why = _fault(option, path, told)
        if why is not None:
            said.report.leave("/".join((said.below(section), *path)), why)
        elif told is not None:
            yield option, told


def _option(value: object) -> object:
    if isinstance(value, list) and not any(isinstance(one, dict | list) for one in cast(list[object], value)):
        return ", ".join(str(one) for one in cast(list[object], value))
    return cast(object, value)


def _fault(option: str, path: Sequence[str], value: Any) -> str | None:
    """What keeps an option from being told to clients."""
    if any(BETWEEN in name for name in path) or not OPTION.fullmatch(option):
        return "no option can be called so"
    if isinstance(value, list):
        return "no option is a list of lists or sections"
    if isinstance(value, str) and len(value) > LONGEST_OPTION:
        return f"a text of an option has {LONGEST_OPTION} characters at most"
    if isinstance(value, int) and abs(value) >= 2**63:
        return "a number of an option is less than 2^63"
    if find_said({option.rpartition(BETWEEN)[2]: value}) or find_said({option: value}):
        return "it looks like a secret, which every account of the VO would read"
    return None
