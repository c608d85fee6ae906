"""Which documents an apply or a rollback changes: pure comparison, nothing is touched."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from sancho.vos.model import Action, Change, Document, Known, Spec


def redact(spec: Spec, secrets: Iterable[str], before: Mapping[str, Any]) -> Spec:
    """Replace secrets by fingerprints, so that a record holds none and an unchanged one still looks unchanged.

    One that is not said stays as it was recorded `before`.
    """
    kept = {name: before[name] for name in secrets if name in before}
    hidden = {name: fingerprint(str(spec[name])) for name in secrets if spec.get(name) is not None}
    return kept | spec | hidden


def fingerprint(secret: str) -> str:
    """A few digits that differ when the secret differs."""
    return f"sha256:{hashlib.sha256(secret.encode()).hexdigest()[:16]}"


def compare(*, kind: str, vo: str, name: str, before: Spec | None, after: Spec | None) -> Change | None:
    """What changes from one spec to another; None when nothing does."""
    if before == after:
        return None
    action = Action.CREATED if before is None else Action.REMOVED if after is None else Action.CHANGED
    return Change(kind=kind, vo=vo, name=name, action=action, before=before, after=after)


def way_back(
    then: Known, now: Known, *, vos: Mapping[int, str], permanent: Iterable[str], secrets: Mapping[str, frozenset[str]]
) -> list[Document]:
    """The documents that, applied now, bring back what there was then.

    What a fingerprint stands for is not known any more, so secrets stay as they are now; so does what is permanent.
    """
    documents: list[Document] = []
    for key in sorted({*then, *now}):
        vo, kind, name = key
        if then.get(key) == now.get(key):
            continue
        if key in then:
            spec: Spec = {k: v for k, v in then[key].items() if k not in secrets.get(kind, frozenset())}
            documents.append(Document(kind=kind, name=name, vo=vos[vo], spec=spec))
        elif kind not in permanent:
            documents.append(Document(kind=kind, name=name, vo=vos[vo], remove=True))
    return documents


def called_alike(name: str, aliases: Mapping[str, str | None]) -> str | None:
    """Another VO that somebody may mean who says this one's name or alias; `aliases` has those of all VOs, by name."""
    mine = {name, aliases[name]} - {None}
    return next((other for other, alias in aliases.items() if other != name and mine & {other, alias}), None)
