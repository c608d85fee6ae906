"""Bring what a DiracX installation is configured with: its text becomes documents and what proves accounts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from psycopg import Rollback

from sancho.compat.diracx.documents_translate import Proven, There, Wanted, merge
from sancho.compat.diracx.repository_body import LARGEST, parse
from sancho.compat.diracx.repository_translate import read
from sancho.compat.diracx.repository_wire import Left, Renamed, Report, Said
from sancho.identity import service as identity
from sancho.identity.service import identities
from sancho.kit.access import INSTANCE, Principal
from sancho.kit.db import Connection
from sancho.vos import service as vos
from sancho.vos.model import CLIENT_SETTINGS, VO, Applied, Change, Kind, Spec

MOST_ACCOUNTS = 100_000
__all__ = ["LARGEST", "Imported", "Left", "Renamed", "Report", "bring"]


@dataclass(frozen=True, kw_only=True)
class Imported:
    """What an import did, or would do."""

    version: int | None
    changes: Sequence[Change]
    proofs: int
    """How many names and subjects came to prove an account."""
    report: Report


async def bring(
    conn: Connection, caller: Principal, text: bytes, file: str, kinds: Sequence[Kind[Any]], *, dry_run: bool = False
) -> Imported:  # fmt: skip
    """Make a configuration of DiracX come true, all of it or nothing; `dry_run` does it and takes it back.

    The caller administers the installation, and the transaction serves all VOs. `file` is what errors call the text,
    and `kinds` are those of all features. Raises `RepositoryUnfit`, or what `vos.service.apply` raises.
    """
    said = read(parse(text, file), file)
    done = Imported(version=None, changes=(), proofs=0, report=said.report)
    async with conn.transaction() as everything:
        await vos.lock_configuration(conn)
        wanted = await _wanted(conn, said)
        most = vos.MOST_DOCUMENTS
        parts = [wanted.documents[at : at + most] for at in range(0, len(wanted.documents), most)]
        applied = [await vos.apply(conn, caller, part, kinds, comment=f"from {file}"[:1000]) for part in parts]
        proofs = await _introduce(conn, caller, wanted.proofs, said.report)
        done = _sum(applied, proofs, said.report)
        if dry_run:
            done = replace(done, version=None)
            raise Rollback(everything)
    return done


def _sum(applied: Sequence[Applied], proofs: int, report: Report) -> Imported:
    versions = [each.version for each in applied if each.version is not None]
    return Imported(
        version=max(versions, default=None),
        changes=[c for each in applied for c in each.changes],
        proofs=proofs,
        report=report,
    )


async def _wanted(conn: Connection, said: Said) -> Wanted:
    """The documents of what is said, merged with what is there."""
    known = {vo.name: vo for vo in await vos.list_vos(conn)}
    specs = {document.name: document.spec for document in await vos.documents(conn, [INSTANCE], kind=vos.KIND.name)}
    there = {vo.name: await _there(conn, known[vo.name], specs.get(vo.name, {})) for vo in said.vos if vo.name in known}
    names = {vo.vo: vo.name for vo in known.values()}
    issuers = {provider.issuer: names[provider.vo] for provider in await identity.all_providers(conn)}
    return merge(said, there, issuers)


async def _there(conn: Connection, vo: VO, spec: Spec) -> There:
    recorded = await vos.documents(conn, [vo.vo])
    accounts = {d.name: d.spec for d in recorded if d.kind == identity.ACCOUNT.name}
    return There(
        spec=spec,
        groups={group.name: group.permissions for group in await identity.groups(conn, vo.vo)},
        accounts={
            account.name: identity.document_of(account, accounts.get(account.name))
            for account in await identity.list_accounts(conn, vo.vo, limit=MOST_ACCOUNTS)
        },
        providers={d.name: str(d.spec["issuer"]) for d in recorded if d.kind == identity.PROVIDER.name},
        settings={d.name: d.spec for d in recorded if d.kind == CLIENT_SETTINGS},
    )


async def _introduce(conn: Connection, caller: Principal, proofs: Sequence[Proven], report: Report) -> int:
    """Let people be known when they come; who is known as somebody else stays so, and is reported."""
    numbers = {vo.name: vo.vo for vo in await vos.list_vos(conn)}
    added = 0
    for name, mine in groupby(proofs, key=lambda proven: proven.vo):
        paths = {proven.proof: proven.path for proven in mine}
        acting = replace(caller, vo=numbers[name], vo_name=name)
        new, taken = await identities.introduce(conn, acting, list(paths))
        added += new
        for proof in taken:
            report.leave(paths[proof], f"{proof.subject} proves another account than {proof.account} already")
    return added
