"""Reads an issuer's list of people, page by page (SCIM, RFC 7644), and makes sure that it has seen it all."""

from collections.abc import AsyncGenerator
from typing import Annotated

from pydantic import AliasPath, BaseModel, BeforeValidator, Field, ValidationError

from sancho_contract.identity import IdentityRefused, Member, ProviderUnavailable
from sancho_plugins.oidc.profiles import group_path, is_storable
from sancho_plugins.oidc.talk import Talk

SCIM_SCOPE = "scim:read"
_PAGE = 100
_LARGEST = 16 << 20


def _or_none(value: object) -> object:
    return value if isinstance(value, str) and value else None


Text = Annotated[str | None, BeforeValidator(_or_none)]


class _Group(BaseModel):
    display: Text = None


class _User(BaseModel):
    id: Annotated[str, Field(min_length=1, max_length=255)]
    active: bool
    name: Annotated[Text, Field(validation_alias="userName")] = None
    email: Annotated[Text, Field(validation_alias=AliasPath("emails", 0, "value"))] = None
    groups: list[_Group] = []


class _Page(BaseModel):
    total: Annotated[int, Field(validation_alias="totalResults", ge=0)]
    users: Annotated[list[_User], Field(validation_alias="Resources")] = []


async def read_members(talk: Talk, url: str, token: str) -> AsyncGenerator[Member, None]:
    """Yield everybody; raises `ProviderUnavailable` when the list changes while it is read."""
    seen: set[str] = set()
    total: int | None = None
    while total is None or len(seen) < total:
        page = await _page(talk, f"{url}/Users?startIndex={len(seen) + 1}&count={_PAGE}", token)
        if not page.users and len(seen) < page.total:
            raise ProviderUnavailable("the list of people ended before its end", retry_after=0)
        if total not in {None, page.total} or len(seen | {user.id for user in page.users}) < len(seen) + len(
            page.users
        ):
            raise ProviderUnavailable("the list of people changed while it was read", retry_after=0)
        total = page.total
        for user in page.users:
            seen.add(user.id)
            paths = [group_path(group.display) for group in user.groups if group.display is not None]
            yield Member(
                subject=user.id,
                active=user.active,
                name=user.name,
                email=user.email,
                groups=tuple(dict.fromkeys(path for path in paths if path is not None)),
            )


async def _page(talk: Talk, url: str, token: str) -> _Page:
    answer = await talk.get(url, bearer=token, largest=_LARGEST)
    said = answer.json()
    if not is_storable(said):
        raise IdentityRefused(f"{answer.who} has a list of people with a NUL, half of a character or no number in it")
    try:
        return _Page.model_validate(said)
    except ValidationError as error:
        fields = ", ".join(sorted({".".join(map(str, e["loc"])) for e in error.errors()})[:5])
        raise IdentityRefused(f"{answer.who} has a list of people that we cannot read: {fields}") from error
