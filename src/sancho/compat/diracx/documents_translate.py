"""Which documents bring a DiracX configuration here, beside what is here already: doing it again changes nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from sancho.compat.diracx.repository_wire import Group, IdentityProvider, Report, Said, User, Vo
from sancho.identity.model import Introduction, Proof
from sancho.vos.model import CLIENT_SETTINGS, Document, Spec


@dataclass(frozen=True, kw_only=True)
class There:
    """What a VO is already: specs of its own documents by name, and its groups with what they may do."""

    spec: Spec
    groups: Mapping[str, Sequence[str]]
    accounts: Mapping[str, Spec]
    providers: Mapping[str, str]
    """Issuers by the names of their documents."""
    settings: Mapping[str, Spec]


REGISTRY_DECIDES = {"no group of theirs": "none"}
"""Which groups of a provider are ours: none. Else its word would take people out of those that the registry says."""
NOTHING = There(spec={}, groups={}, accounts={}, providers={}, settings={})


@dataclass(frozen=True, kw_only=True)
class Proven:
    """What shall prove an account: a name in certificates, or of an issuer's."""

    path: str
    vo: str
    proof: Introduction


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Documents, in an order in which each finds what it names, and what proves accounts."""

    documents: Sequence[Document]
    proofs: Sequence[Proven]


def merge(said: Said, there: Mapping[str, There], issuers: Mapping[str, str]) -> Wanted:
    """Say which documents bring what is said, given what is there by VO, and the VOs that issuers vouch for.

    What is there already and is not spoken of stays: groups that are not in the registry, permissions that a group has
    besides, options of a section. Groups that may do everything, and accounts in them, are left alone: nobody becomes
    an administrator by a file. What is left alone is added to the report.
    """
    taken = dict(issuers)
    documents: list[Document] = []
    proofs: list[Proven] = []
    for vo in said.vos:
        one = _Merging(vo, there.get(vo.name, NOTHING), said.report, taken)
        documents += [one.vo_document(), *one.settings(), *one.groups()]
        issuer = one.provider(documents)
        made, proven = one.accounts(issuer)
        documents += made
        proofs += proven
    order = {kind: place for place, kind in enumerate(("VO", CLIENT_SETTINGS, "Group", "IdentityProvider", "Account"))}
    return Wanted(documents=sorted(documents, key=lambda document: order[document.kind]), proofs=proofs)


@dataclass
class _Merging:
    """One VO on its way."""

    said: Vo
    there: There
    report: Report
    issuers: dict[str, str]

    def vo_document(self) -> Document:
        """The VO as it is, with an address where it had none."""
        address = {"email": self.said.email} if self.said.email and not self.there.spec.get("email") else {}
        return Document(kind="VO", name=self.said.name, spec=self.there.spec | address)

    def settings(self) -> list[Document]:
        """What clients are told."""
        made: list[Document] = []
        for name, options in self.said.settings.items():
            before = self.there.settings.get(name, {}).get("options", {})
            made.append(self._document(CLIENT_SETTINGS, name, {"options": {**before, **options}}))
        return made

    def groups(self) -> list[Document]:
        """Groups, each with what its properties amount to and what it may do already."""
        for name, group in self.said.groups.items():
            if self._everything(name):
                self.report.leave(group.path, f"group {name} may do everything here, so nobody is put into it")
        return [self._group(name, group) for name, group in self.said.groups.items() if not self._everything(name)]

    def _group(self, name: str, group: Group) -> Document:
        permissions = sorted({*group.permissions, *self.there.groups.get(name, ())})
        return self._document("Group", name, {"permissions": permissions, "share": group.share})

    def _everything(self, group: str) -> bool:
        return "*" in self.there.groups.get(group, ())

    def provider(self, documents: list[Document]) -> str | None:
        """The issuer that vouches for this VO's people; adds its document unless there is one."""
        said = self.said.provider
        if said is None or said.issuer in self.there.providers.values():
            return said and said.issuer
        why = self._why_not(said)
        if why is not None:
            self.report.leave(said.path, why)
            return None
        self.issuers[said.issuer] = self.said.name
        settings = {"client_id": said.client_id}
        spec: Spec = {"issuer": said.issuer, "groups": REGISTRY_DECIDES, "settings": settings}
        documents.append(self._document("IdentityProvider", self._provider_name(said.issuer), spec))
        return said.issuer

    def _why_not(self, said: IdentityProvider) -> str | None:
        owner = self.issuers.get(said.issuer)
        if owner is not None and owner != self.said.name:
            return (
                f"this issuer vouches for VO {owner}; let VO instance share it, and say who of its people are members"
            )
        try:
            parts = urlsplit(said.issuer)
            fits = parts.scheme == "https" and parts.hostname and (parts.port or 1) > 0 and not parts.fragment
        except ValueError:
            fits = False
        plain = said.issuer.isascii() and said.issuer.isprintable() and len(said.issuer) <= 500
        if not fits or not plain or " " in said.issuer or "@" in said.issuer:
            return "an issuer is a plain https URL"
        return None if len(said.client_id) <= 500 else "a client id has 500 characters at most"

    def _provider_name(self, issuer: str) -> str:
        parts = urlsplit(issuer)
        words = "".join(c if c.isalnum() else "-" for c in (parts.path or "").strip("/").lower())
        base = f"{parts.hostname}{'-' if words else ''}{words}".replace(":", "-").lstrip("-")[:60].strip("-.")
        names = [base, *(f"{base}-{n}" for n in range(2, 100))]
        return next(name for name in names if name not in self.there.providers)

    def accounts(self, issuer: str | None) -> tuple[list[Document], list[Proven]]:
        """Accounts, and what proves them."""
        made: list[Document] = []
        proofs: list[Proven] = []
        if issuer is None and self.said.users:
            path = f"{self.said.path}/Users"
            self.report.leave(path, "no provider vouches for these subjects; people come by password or certificate")
        for name, user in self.said.users.items():
            before = self.there.accounts.get(name, {})
            if any(self._everything(group) for group in before.get("groups", ())):
                self.report.leave(user.path, f"account {name} may do everything here, so it is left alone")
                continue
            made.append(self._account(name, user, before))
            proofs += self._proofs(name, user, issuer)
        return made, proofs

    def _account(self, name: str, user: User, before: Spec) -> Document:
        governed = {group for group in self.said.groups if not self._everything(group)}
        kept = [group for group in before.get("groups", ()) if group not in governed]
        groups = sorted({*kept, *(group for group in user.groups if group in governed)})
        spec: Spec = {**before, "groups": groups}
        if user.email is not None:
            spec["email"] = user.email
        if user.suspended:
            spec["suspended"] = True
        return self._document("Account", name, spec)

    def _proofs(self, name: str, user: User, issuer: str | None) -> list[Proven]:
        proofs = [Introduction(account=name, kind=Proof.X509, subject=subject) for subject in user.certificates]
        if issuer is not None:
            subject = f"{issuer} {user.subject}"
            proofs.append(Introduction(account=name, kind=Proof.TOKEN_ISSUER, subject=subject, issuer=issuer))
        return [Proven(path=user.path, vo=self.said.name, proof=proof) for proof in proofs]

    def _document(self, kind: str, name: str, spec: Spec) -> Document:
        return Document(kind=kind, name=name, vo=self.said.name, spec=spec)
