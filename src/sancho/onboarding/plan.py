"""What a founding means as documents, and what a VO's standing means as a checklist; nothing is touched."""

from collections.abc import Collection, Sequence

from sancho.onboarding.model import Check, Founding, Outcome, Standing
from sancho.vos.model import INSTANCE_NAME, Document


def has_passwords(founding: Founding) -> bool:
    """Say whether the accounts of a founding's VO will have passwords."""
    return founding.spec.get("passwords", True) is not False


def documents(founding: Founding, password_hash: str | None) -> list[Document]:
    """The documents of a founding; the first administrator gets this password, if any."""
    vo, admin = founding.name, founding.admin
    person = {"groups": ["admins"], "password_hash": password_hash, "email": founding.email}
    account = {key: value for key, value in person.items() if value is not None}
    named = {"Group": founding.groups, "IdentityProvider": founding.providers, "Quota": founding.quotas}
    made = [Document(kind="VO", name=vo, spec=dict(founding.spec))]
    made += [
        Document(kind=kind, name=name, vo=vo, spec=dict(spec))
        for kind, specs in named.items() for name, spec in specs.items()
    ]  # fmt: skip
    made += [Document(kind="Account", name=admin, vo=vo, spec=account)]
    made += [Document(kind="Scope", name=s, vo=vo, spec={"account": admin, "shared": True}) for s in founding.scopes]
    made += [
        Document(
            kind="Grant", name=f"{vo}.{kind}.{name}", vo=INSTANCE_NAME,
            spec={"resource": {"kind": kind, "name": name}, "to": [vo]},
        )
        for kind, name in founding.grants
    ]  # fmt: skip
    return made


def checklist(standing: Standing, default_groups: Collection[str]) -> list[Check]:
    """Say of each thing that a VO needs whether it is there, and what to do when it is not."""
    vo = standing.vo
    absent = sorted(set(default_groups) - set(standing.groups))
    return [
        *_providers(standing),
        _there(
            "administrator", standing.administrators, f"`sancho account add admin 'groups=[admins]' --of {vo}`, then "
            f"`sancho account password admin --of {vo}`",
        ),
        _there("groups", () if absent else standing.groups, f"Apply the groups {', '.join(absent)} of {vo}."),
        _there(
            "quota", standing.quotas, f"`sancho quota add total 'rse_expression=*' 'size=10 TB' --of {vo}`; without "
            "one it may fill what it can write to", outcome=Outcome.ADVISED,
        ),
        _there("rse", standing.rses, f"Apply a Grant of a readable and writable RSE, or its site, to {vo}."),
        _there("ce", standing.ces, f"Apply a Grant of a ComputeElement, or its site, to {vo}."),
    ]  # fmt: skip


def _providers(standing: Standing) -> list[Check]:
    what = "identity provider"
    if not standing.providers and not standing.passwords:
        advice = "Apply an IdentityProvider, or allow passwords in the VO's document: nobody can log in on a page."
        return [Check(what=what, outcome=Outcome.MISSING, found="none, and no passwords", next=advice)]
    if not standing.providers:
        advice = "Apply an IdentityProvider, so that people log in as they do everywhere."
        return [Check(what=what, outcome=Outcome.ADVISED, found="none: passwords only", next=advice)]
    return [
        Check(what=what, outcome=Outcome.OK, found=f"{name} answers")
        if trouble is None
        else Check(what=what, outcome=Outcome.MISSING, found=f"{name}: {trouble}", next="Correct its document.")
        for name, trouble in standing.providers.items()
    ]


def _there(what: str, names: Sequence[str], advice: str, outcome: Outcome = Outcome.MISSING) -> Check:
    if not names:
        return Check(what=what, outcome=outcome, found="none", next=advice)
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return Check(what=what, outcome=Outcome.OK, found=", ".join(names[:5]) + more)
