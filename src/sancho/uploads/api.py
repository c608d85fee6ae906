"""Native routes of uploads."""

from typing import Annotated, Any

from pydantic import BaseModel, Field

from sancho.dids import service as dids
from sancho.dids.errors import CollectionClosed, DidExists, ScopeNotFound, ScopeNotYours
from sancho.dids.model import parse_did
from sancho.kit.access import Principal, require
from sancho.kit.db import Connection
from sancho.kit.errors import Invalid
from sancho.kit.policy import did as thing
from sancho.kit.problem import problems
from sancho.kit.units import Duration, FileSize, Id
from sancho.kit.web import Caller, Deployed, Transaction, native
from sancho.rses import service as rses
from sancho.rses.errors import RseNotFound
from sancho.rses.model import Rse
from sancho.rules import service as rules
from sancho.rules.errors import QuotaExceeded, TooFewRses
from sancho.rules.model import RuleTerms
from sancho.uploads import service
from sancho.uploads.errors import IntentGivenUp, IntentNotFound, NoRseForUpload, StorageAway, UploadIncomplete
from sancho.uploads.model import MAX_FILES, Intent, Upload, Wish

router = native("/uploads", tags=["uploads"])


RULE_FIELD = "rule.rse_expression"


class RuleIn(BaseModel, extra="forbid"):
    """The rule that holds the files: on their dataset, or on each file without one."""

    copies: Annotated[int, Field(ge=1, le=100)] = 1
    rse_expression: Annotated[str, Field(min_length=1, max_length=3000, examples=["tier=1&country=UK"])]
    lifetime: Duration | None = None


class FileIn(BaseModel, extra="forbid"):
    """A file to add. Sizes are bytes, `adler32` is 8 hex digits."""

    did: Annotated[str, Field(max_length=300, examples=["mc:run7/events.root"])]
    size: FileSize
    adler32: Annotated[str, Field(pattern="^[0-9a-f]{8}$")]
    dataset: Annotated[str, Field(max_length=300)] | None = None
    rse: Annotated[str, Field(max_length=128)] | None = None


class UploadsIn(BaseModel, extra="forbid"):
    """Files to add together."""

    files: Annotated[list[FileIn], Field(min_length=1, max_length=MAX_FILES)]
    rule: RuleIn | None = None


class IntentsIn(BaseModel, extra="forbid"):
    """Uploads by id."""

    intents: Annotated[list[Id], Field(min_length=1, max_length=MAX_FILES)]


class UploadsOut(BaseModel):
    """Where to put the files, in the order asked."""

    uploads: list[Upload]


class CommittedFile(BaseModel):
    """A file that is in the catalogue now."""

    intent_id: int
    did: str
    size: int


class CommittedOut(BaseModel):
    """Files that are in the catalogue now."""

    files: list[CommittedFile]


class OpenUpload(BaseModel):
    """An upload that was begun and not committed."""

    intent_id: int
    did: str
    size: int
    expires_at: Any


@router.post(
    "",
    status_code=201,
    responses=problems(QuotaExceeded, NoRseForUpload, RseNotFound, ScopeNotFound, ScopeNotYours, DidExists, TooFewRses),
)
async def open_uploads(body: UploadsIn, caller: Caller, conn: Transaction, deployment: Deployed) -> UploadsOut:
    """Announce files; get for each where to PUT it and a token for exactly that path."""
    require(caller, "uploads:create", on=[thing(name) for f in body.files for name in (f.did, f.dataset) if name])
    known = await rses.rses(conn, vo=caller.vo)
    wanted = (
        []
        if body.rule is None
        else [r.rse_id for r in await rses.resolve(conn, body.rule.rse_expression, field=RULE_FIELD, vo=caller.vo)]
    )
    wishes = await _wishes(conn, caller, body, known, wanted)
    intents = await service.open_intents(conn, caller.vo, caller.account_id, wishes, now=deployment.clock.now())
    by_id = {r.rse_id: r for r in known}
    subject = f"{caller.vo_name}:{caller.account}"
    return UploadsOut(uploads=service.grants(deployment, caller.vo_name, intents, by_id, subject=subject))


async def _wishes(
    conn: Connection, caller: Principal, body: UploadsIn, known: list[Rse], wanted: list[int]
) -> list[Wish]:
    names = [parse_did(f.did, field=f"files.{n}.did") for n, f in enumerate(body.files)]
    if len(set(names)) < len(names):
        raise Invalid(reason="The same DID stands twice among the files.", field="files", hint="Name each file once.")
    scopes = await dids.scopes_for(conn, caller, [f.did for f in body.files])
    await dids.check_free(conn, caller.vo, [(scopes[scope], name) for scope, name in names])
    datasets = await _datasets(conn, caller, body)
    by_name = {r.name: r for r in known}
    wishes: list[Wish] = []
    for n, ((scope, name), file) in enumerate(zip(names, body.files, strict=True)):
        rse = by_name.get(file.rse) if file.rse else service.choose_rse(known, file.did, wanted=wanted)
        if rse is None:
            raise RseNotFound(rse=file.rse or "", field=f"files.{n}.rse")
        if not rse.writable:
            raise NoRseForUpload(field=f"files.{n}.rse")
        wishes.append(
            Wish(
                scope_id=scopes[scope], scope=scope, name=name, size=file.size, adler32=file.adler32, rse_id=rse.rse_id,
                dataset_id=datasets.get(file.dataset or ""), rule=None if file.dataset else _rule(body.rule),
            )
        )  # fmt: skip
    return wishes


async def _datasets(conn: Connection, caller: Principal, body: UploadsIn) -> dict[str, int]:
    """Ids of the datasets, made if need be and under the rule that is wished; sees that it can be carried out."""
    made: dict[str, int] = {}
    named = {f.dataset: n for n, f in reversed(list(enumerate(body.files))) if f.dataset}
    for dataset in sorted(named):
        found = await dids.ensure_dataset(conn, caller, dataset, field=f"files.{named[dataset]}.dataset")
        made[dataset] = found.did_id
    if body.rule is not None:
        wish = body.rule
        terms: RuleTerms = {"copies": wish.copies, "rse_expression": wish.rse_expression, "lifetime": wish.lifetime}
        try:
            if any(file.dataset is None for file in body.files):
                await rules.check(conn, caller.vo, caller.account_id, **terms)
            for did_id in made.values():
                await rules.ensure(conn, caller.vo, caller.account_id, did_id, **terms)
        except TooFewRses as e:
            e.field = "rule.copies"
            raise
    return made


def _rule(rule: RuleIn | None) -> dict[str, Any] | None:
    """The wish for a file without a dataset, as it is kept until the commit."""
    if rule is None:
        return None
    lifetime = None if rule.lifetime is None else rule.lifetime.total_seconds()
    return {"copies": rule.copies, "rse_expression": rule.rse_expression, "lifetime": lifetime}


@router.post(
    "/commit",
    responses=problems(IntentNotFound, IntentGivenUp, UploadIncomplete, StorageAway, DidExists, CollectionClosed),
)
async def commit_uploads(body: IntentsIn, caller: Caller, deployment: Deployed) -> CommittedOut:
    """Register uploaded files: all of them or none. Asking again is harmless."""
    async with deployment.database.transaction(caller.vos) as conn:
        intents = await service.get_own(conn, caller.vo, body.intents, account_id=caller.account_id)
        require(caller, "uploads:create", on=[thing(intent.did) for intent in intents])
        known = await rses.by_id(conn, sorted({i.rse_id for i in intents}))
    checksums = await service.verify(deployment, caller.vo_name, intents, known)
    async with deployment.database.transaction(caller.vos) as conn:
        done = await service.commit(conn, caller.vo, body.intents, checksums)
    return CommittedOut(files=[CommittedFile(intent_id=c.intent_id, did=c.did, size=c.size) for c in done])


@router.post("/cancel", status_code=204, responses=problems(IntentNotFound))
async def cancel_uploads(body: IntentsIn, caller: Caller, conn: Transaction) -> None:
    """Give up uploads; what was put already is deleted later."""
    require(caller, "uploads:create")
    intents = await service.get_own(conn, caller.vo, body.intents, account_id=caller.account_id)
    await service.give_up(conn, caller.vo, intents)


@router.get("")
async def list_uploads(caller: Caller, conn: Transaction) -> list[OpenUpload]:
    """Your uploads that were begun and not committed."""
    found: list[Intent] = await service.list_open(conn, caller.vo, caller.account_id)
    return [OpenUpload(intent_id=i.intent_id, did=i.did, size=i.size, expires_at=i.expires_at) for i in found]
