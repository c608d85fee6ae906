"""Make documents come true, and go back to a version."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, LiteralString, cast

from psycopg import Rollback
from psycopg.errors import ForeignKeyViolation
from pydantic import BaseModel, ValidationError

from sancho.kit import secrets
from sancho.kit.access import INSTANCE, Principal, require
from sancho.kit.db import Connection
from sancho.kit.errors import NotFound
from sancho.vos import plan, store
from sancho.vos.errors import (
    DocumentInUse,
    DocumentInvalid,
    DocumentPermanent,
    DocumentTwice,
    DocumentUnknown,
    KindUnknown,
    NotYourConfiguration,
    OwnerMissing,
    ReferenceUnknown,
    TooManyDocuments,
    VoNotFound,
)
from sancho.vos.model import INSTANCE_NAME, Applied, Change, Document, Kind, Named, Spec
from sancho.vos.service.making import VoSpec
from sancho.vos.service.reading import require_version

MOST_DOCUMENTS = 2000
Key = tuple[str, str, str]
Kinds = Sequence[Kind[Any]]


async def apply(
    conn: Connection, caller: Principal, documents: Sequence[Document], kinds: Kinds, *, dry_run: bool = False,
    comment: str | None = None,
) -> Applied:  # fmt: skip
    """Make documents come true, in one piece, and record what changed as a new version.

    Documents that are as they were are left alone; those not mentioned stay. A `dry_run` does everything, the
    database's own checks too, and takes it back. The transaction serves `caller.vos`, and all VOs when the caller
    is of the VO `instance`, for what it shares concerns everybody. Whoever administers a VO configures what that VO
    owns, shared kinds excepted; narrower administrators what the permission of a kind allows them.
    Raises an `Invalid` that names document and field, `NotYourConfiguration`, or what a kind objects to.
    """
    narrow = {d.kind for d in documents} & {k.name for k in kinds if _may_some(caller, k)}
    if not narrow or caller.may("configuration:apply"):
        require(caller, "configuration:apply")
    if len(documents) > MOST_DOCUMENTS:
        raise TooManyDocuments(count=len(documents), limit=MOST_DOCUMENTS)
    return await _apply(conn, caller, documents, kinds, dry_run=dry_run, comment=comment)


async def _apply(
    conn: Connection, caller: Principal, documents: Sequence[Document], kinds: Kinds, *, dry_run: bool,
    comment: str | None,
) -> Applied:  # fmt: skip
    applied = Applied(version=None, changes=[])
    async with conn.transaction() as everything:
        await store.lock_configuration(conn)
        applying = _Applying(conn, caller, sorted(kinds, key=lambda kind: kind.order))
        applied = await applying.run([applying.read(d, f"documents.{i}") for i, d in enumerate(documents)], comment)
        if dry_run:
            applied = Applied(version=None, changes=applied.changes)
            raise Rollback(everything)
    return applied


async def rollback(
    conn: Connection, caller: Principal, version: int, kinds: Kinds, *, dry_run: bool = False
) -> Applied:
    """Bring back, as a new version, every document as it was at `version`; secrets and VOs stay as they are now.

    Whoever administers a VO brings back what that VO owns. Raises `VersionNotFound`, and whatever `apply` raises.
    """
    require(caller, "configuration:apply")
    await require_version(conn, caller, version)
    await store.lock_configuration(conn)
    mine = [k for k in kinds if caller.is_instance_admin or not k.instance]
    own = {k.name for k in mine}
    then, now = [
        {key: spec for key, spec in (await store.state(conn, caller.vos, at=at)).items() if key[1] in own}
        for at in (version, None)
    ]
    documents = plan.way_back(
        then, now, vos={vo.vo: vo.name for vo in await store.all_vos(conn)},
        permanent={k.name for k in mine if k.retire is None}, secrets={k.name: k.secrets for k in mine},
    )  # fmt: skip
    return await _apply(conn, caller, documents, kinds, dry_run=dry_run, comment=f"back to version {version}")


@dataclass(frozen=True, kw_only=True)
class _Wanted:
    """A document that was read: who owns it, which kind it is, and its validated spec; None: it is to go."""

    kind: Kind[Any]
    owner: str
    name: str
    at: str
    spec: BaseModel | None

    @property
    def key(self) -> Key:
        return self.owner, self.kind.name, self.name

    def recorded(self, before: Spec | None = None) -> dict[str, Any] | None:
        """What the history will hold of it; a secret that is not said stays as `before`."""
        if self.spec is None:
            return None
        return plan.redact(self.spec.model_dump(mode="json", exclude_unset=True), self.kind.secrets, before or {})


@dataclass
class _Applying:
    """One apply on its way."""

    conn: Connection
    caller: Principal
    kinds: list[Kind[Any]]
    vos: dict[str, int] = field(default_factory=dict[str, int])

    def read(self, document: Document, at: str) -> _Wanted:
        """Check one document by itself: its kind, owner, name and spec."""
        kind = next((k for k in self.kinds if k.name == document.kind), None)
        if kind is None:
            known = ", ".join(k.name for k in self.kinds)
            raise KindUnknown(kind=document.kind, known=known, field=f"{at}.kind")
        owner = document.vo or (INSTANCE_NAME if kind.instance else self.caller.vo_name)
        if not document.vo and not kind.instance and self.caller.is_instance_admin:
            raise OwnerMissing(kind=kind.name, name=document.name, field=f"{at}.vo")
        shared = kind.instance and not (self.caller.vo_name == INSTANCE_NAME and _may_some(self.caller, kind))
        if not self.caller.is_instance_admin and (shared or owner != self.caller.vo_name):
            raise NotYourConfiguration(
                account=self.caller.account, kind=kind.name, name=document.name, vo=owner, field=f"{at}.vo"
            )
        if not re.fullmatch(kind.names, document.name):
            problems = f"name: must match {kind.names}"
            raise DocumentInvalid(kind=kind.name, name=document.name[:200], problems=problems, field=f"{at}.name")
        if document.remove and kind.retire is None:
            raise DocumentPermanent(kind=kind.name, name=document.name, field=f"{at}.remove")
        spec = None if document.remove else _validated(kind, document, at)
        return _Wanted(kind=kind, owner=owner, name=document.name, at=at, spec=spec)

    async def run(self, wanted: Sequence[_Wanted], comment: str | None) -> Applied:
        """Change what differs, kind by kind, and record it."""
        self.vos = {vo.name: vo.vo for vo in await store.all_vos(self.conn)}
        changes = await self._compare(wanted)
        if not changes:
            return Applied(version=None, changes=[])
        for kind in self.kinds:
            await self._apply(kind, [w for w in wanted if w.key in changes and w.kind is kind and w.spec is not None])
            if kind.follow is not None:
                await kind.follow(self.conn, self.caller, list(changes.values()))
        for kind in reversed(self.kinds):
            await self._retire(kind, [w for w in wanted if w.key in changes and w.kind is kind and w.spec is None])
        return Applied(version=await self._record(changes, comment), changes=list(changes.values()))

    async def _compare(self, wanted: Sequence[_Wanted]) -> dict[Key, Change]:
        becoming = {w.name for w in wanted if w.kind.model is VoSpec}
        keys = [(self.vos[w.owner], w.kind.name, w.name) for w in wanted if w.owner in self.vos]
        known = await store.newest(self.conn, keys)
        self._require([(w, known.get((self.vos.get(w.owner, -1), w.kind.name, w.name))) for w in wanted])
        seen: set[Key] = set()
        changes: dict[Key, Change] = {}
        for w in wanted:
            if w.owner not in self.vos and w.owner not in becoming:
                reason = str(VoNotFound(vo=w.owner))
                raise ReferenceUnknown(kind=w.kind.name, name=w.name, reason=reason, field=f"{w.at}.vo")
            if w.key in seen:
                raise DocumentTwice(kind=w.kind.name, name=w.name, field=f"{w.at}.name")
            seen.add(w.key)
            before = known.get((self.vos.get(w.owner, -1), w.kind.name, w.name))
            if before is None and w.spec is None:
                raise DocumentUnknown(kind=w.kind.name, name=w.name, field=f"{w.at}.name")
            change = plan.compare(kind=w.kind.name, vo=w.owner, name=w.name, before=before, after=w.recorded(before))
            if change is not None:
                changes[w.key] = change
        return changes

    def _require(self, wanted: Sequence[tuple[_Wanted, Spec | None]]) -> None:
        """Whoever may not configure everything needs what each kind asks for, on what documents were and will be about.

        Also of documents that stay as they are: else an apply would tell what they are.
        """
        everything = self.caller.may("configuration:apply")
        things: dict[LiteralString, set[str]] = {}
        for w, before in wanted:
            if everything and (not w.kind.instance or self.caller.is_instance_admin):
                continue
            if w.kind.permission is None:
                require(self.caller, "configuration:apply", on=f"{w.kind.name}:{w.name}")
                continue
            about = things.setdefault(w.kind.permission, set())
            for spec in filter(None, [before, w.recorded()]):
                about.update(w.kind.things(w.name, spec))
        for permission, about in things.items():
            require(self.caller, permission, on=sorted(about))

    async def _apply(self, kind: Kind[Any], wanted: Sequence[_Wanted]) -> None:
        for owner in dict.fromkeys(w.owner for w in wanted):
            named = [Named(w.name, w.spec, w.at) for w in wanted if w.owner == owner]
            try:
                await kind.apply(self.conn, self.caller, self.vos[owner], named)
            except NotFound as e:
                # The route was found; a document that names what does not exist is not valid.
                blamed = next((n for n in named if e.field and e.field.startswith(f"{n.at}.")), named[0])
                raise ReferenceUnknown(kind=kind.name, name=blamed.name, reason=str(e), field=e.field) from e
        if kind.model is VoSpec:
            self.vos = {vo.name: vo.vo for vo in await store.all_vos(self.conn)}

    async def _retire(self, kind: Kind[Any], wanted: Sequence[_Wanted]) -> None:
        for owner in dict.fromkeys(w.owner for w in wanted):
            names = [w.name for w in wanted if w.owner == owner]
            assert kind.retire is not None, "reading refused it"
            try:
                await kind.retire(self.conn, self.caller, self.vos[owner], names)
            except ForeignKeyViolation as e:
                table = e.diag.table_name or "something"
                raise DocumentInUse(kind=kind.name, names=", ".join(names), table=table) from e

    async def _record(self, changes: Mapping[Key, Change], comment: str | None) -> int:
        owners = {self.vos[owner] for owner, _, _ in changes}
        # What the VO `instance` owns, or what others may have been granted, concerns everybody: all histories count it.
        shared = {kind.name for kind in self.kinds if kind.instance}
        everybody = INSTANCE in owners or any(kind in shared for _, kind, _ in changes)
        concerned = set(self.vos.values()) if everybody else owners
        by = f"{self.caller.vo_name}:{self.caller.account}"
        version = await store.record_version(self.conn, sorted(concerned), by=by, comment=comment)
        await store.record_changes(self.conn, version, [(self.vos[key[0]], change) for key, change in changes.items()])
        return version


def _may_some(caller: Principal, kind: Kind[Any]) -> bool:
    """Say whether somebody may configure some documents of a kind without `configuration:apply`."""
    return kind.permission is not None and caller.may_somewhere(kind.permission)


def _validated(kind: Kind[Any], document: Document, at: str) -> BaseModel:
    model = cast(type[BaseModel], kind.model)
    if not _storable(document.spec):
        problems = "spec: holds text that is not Unicode, or a NUL"
        raise DocumentInvalid(kind=kind.name, name=document.name, problems=problems, field=f"{at}.spec")
    if (place := secrets.find_said(document.spec)) is not None:
        problems = f"{place}: looks like a secret; say its name, and put it where this installation keeps them"
        raise DocumentInvalid(kind=kind.name, name=document.name, problems=problems, field=f"{at}.spec")
    try:
        return model.model_validate(document.spec)
    except ValidationError as e:
        faults = e.errors(include_url=False, include_input=False)
    paths = [".".join(str(part) for part in fault["loc"]) for fault in faults]
    said = "; ".join(f"{path or 'spec'}: {fault['msg']}" for path, fault in list(zip(paths, faults, strict=True))[:5])
    where = f"{at}.spec.{paths[0]}" if paths[0] else f"{at}.spec"
    raise DocumentInvalid(kind=kind.name, name=document.name, problems=said, field=where)


def _storable(spec: Mapping[str, Any]) -> bool:
    try:
        text = json.dumps(spec, ensure_ascii=False, allow_nan=False)
        text.encode()
    except (UnicodeError, TypeError, ValueError):
        return False
    return "\\u0000" not in text
