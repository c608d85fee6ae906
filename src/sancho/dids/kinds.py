"""The kinds of documents that make scopes, and keys of metadata."""

import math
from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, Field, StringConstraints, TypeAdapter, model_validator
from pydantic_core import SchemaError

from sancho.dids import service
from sancho.dids.errors import MetadataKeyInvalid, ScopeOwnerMissing
from sancho.dids.model import NAME_BYTES, SCOPE, MetadataKind, Nameable, NameSchema, is_scope, scope_of
from sancho.dids.service.values import LONGEST_TEXT, fits, matcher
from sancho.kit.access import Principal
from sancho.kit.db import Connection
from sancho.kit.policy import did as thing
from sancho.vos import service as vos
from sancho.vos.model import Action, Change, Kind, Named

Text = Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT)]


def _compiles(pattern: str) -> str:
    try:
        TypeAdapter(Annotated[str, StringConstraints(pattern=pattern)])
        matcher(pattern)
    except SchemaError as e:
        raise ValueError(f"is no regular expression: {str(e).splitlines()[-1].strip()}") from e
    return pattern


Pattern = Annotated[str, Field(max_length=500), AfterValidator(_compiles)]


class ScopeSpec(BaseModel, extra="forbid"):
    """Whose a scope is, and whether others may make DIDs in it."""

    account: Annotated[str, Field(max_length=63, examples=["production"])]
    """The account that may make DIDs in it, and change everything in it."""
    shared: bool = False
    """Let every account of the VO make DIDs in it, which are its own."""


async def _apply(conn: Connection, _caller: Principal, vo: int, documents: Sequence[Named[ScopeSpec]]) -> None:
    fields = {d.name: d.name_field for d in documents}
    await service.check_scopes(conn, vo, fields.keys(), field=fields.__getitem__)
    ownerless = await service.put_scopes(conn, vo, [(d.name, d.spec.account, d.spec.shared) for d in documents])
    for document in documents:
        if document.name in ownerless:
            raise ScopeOwnerMissing(scope=document.name, account=document.spec.account, field=document.field("account"))


async def _retire(conn: Connection, _caller: Principal, vo: int, names: Sequence[str]) -> None:
    await service.remove_scopes(conn, vo, names)


async def _follow(conn: Connection, _caller: Principal, changes: Sequence[Change]) -> None:
    """Give every new account a scope of its own, so that it can begin at once."""
    new = [c for c in changes if c.kind == "Account" and c.action is Action.CREATED]
    numbers = {vo.name: vo.vo for vo in await vos.list_vos(conn)} if new else {}
    for vo in sorted({c.vo for c in new}):
        scopes = [(scope_of(c.name), c.name, False) for c in new if c.vo == vo and is_scope(scope_of(c.name))]
        await service.put_scopes(conn, numbers[vo], scopes)


class MetadataKeySpec(BaseModel, extra="forbid"):
    """What a key of metadata may say of DIDs."""

    kind: Literal["text", "integer", "number", "boolean", "time", "texts", "numbers"]
    """What its values are; `texts` and `numbers` are arrays. It cannot change while a DID has a value."""
    dids: Annotated[list[Literal["file", "dataset", "container"]], Field(min_length=1, max_length=3)] = [
        "file", "dataset", "container",
    ]  # fmt: skip
    """Kinds of DIDs that may carry it; those below a collection inherit from it all the same."""
    unit: Annotated[str | None, Field(max_length=40)] = None
    description: Annotated[str, Field(max_length=1000)] = ""
    minimum: float | None = None
    """Of integers and numbers; what was said before stays."""
    maximum: float | None = None
    vocabulary: Annotated[list[Text] | None, Field(min_length=1, max_length=1000)] = None
    """The only texts that it may say."""
    pattern: Pattern | None = None
    """A regular expression for the whole of a text, without references and looking around."""
    indexed: bool = True
    """Wants to be searched for everywhere. Up to 8 keys of texts and 8 of other values can be; arrays always are."""

    @model_validator(mode="after")
    def _terms_fit(self) -> Self:
        is_text, is_number = self.kind in ("text", "texts"), self.kind in ("integer", "number", "numbers")
        if (self.vocabulary is not None or self.pattern is not None) and not is_text:
            raise ValueError("only texts have a vocabulary or a pattern")
        if (self.minimum is not None or self.maximum is not None) and not is_number:
            raise ValueError("only integers and numbers have a minimum or maximum")
        if not all(math.isfinite(bound) for bound in (self.minimum, self.maximum) if bound is not None):
            raise ValueError("minimum and maximum are finite")
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError("the minimum is above the maximum")
        return self


async def _apply_keys(
    conn: Connection, _caller: Principal, vo: int, documents: Sequence[Named[MetadataKeySpec]]
) -> None:
    for document in documents:
        if document.name in service.FIELDS:
            raise MetadataKeyInvalid(
                key=document.name, reason="every DID has something of this name", field=document.name_field
            )
    wanted = [
        (d.name, MetadataKind[d.spec.kind.upper()], d.spec.model_dump(exclude={"kind"}, mode="json")) for d in documents
    ]
    await service.put_keys(conn, vo, wanted)


async def _retire_keys(conn: Connection, _caller: Principal, vo: int, names: Sequence[str]) -> None:
    await service.remove_keys(conn, vo, names)


class NameSchemaSpec(BaseModel, extra="forbid"):
    """What names of new scopes or DIDs look like; the document is called `scope`, `file`, `dataset` or `container`.

    The scope that a new account gets is called `user.` and its name all the same.
    """

    pattern: Pattern
    """A regular expression for the whole of a name, without references and looking around."""
    example: Annotated[str, Field(min_length=1, max_length=NAME_BYTES)]
    """A name that fits, shown to whoever chose one that does not."""

    @model_validator(mode="after")
    def _example_fits(self) -> Self:
        if not fits(self.pattern, self.example):
            raise ValueError("the example does not match the pattern")
        return self


async def _apply_schemas(
    conn: Connection, _caller: Principal, vo: int, documents: Sequence[Named[NameSchemaSpec]]
) -> None:
    await service.put_schemas(
        conn, vo, {Nameable[d.name.upper()]: NameSchema(d.spec.pattern, d.spec.example) for d in documents}
    )


async def _retire_schemas(conn: Connection, _caller: Principal, vo: int, names: Sequence[str]) -> None:
    await service.remove_schemas(conn, vo, [Nameable[name.upper()] for name in names])


KINDS: tuple[Kind[Any], ...] = (
    Kind(
        name="Scope",
        model=ScopeSpec,
        order=30,
        apply=_apply,
        retire=_retire,
        follow=_follow,
        names=SCOPE.pattern,
        permission="dids:manage",
        things=lambda name, _: [thing(f"{name}:")],
    ),
    Kind(
        name="MetadataKey",
        model=MetadataKeySpec,
        order=30,
        apply=_apply_keys,
        retire=_retire_keys,
        names=r"[A-Za-z][A-Za-z0-9_-]{0,62}",
    ),
    Kind(
        name="NameSchema",
        model=NameSchemaSpec,
        order=30,
        apply=_apply_schemas,
        retire=_retire_schemas,
        names="scope|file|dataset|container",
    ),
)
