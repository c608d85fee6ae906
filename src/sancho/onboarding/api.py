"""Native routes by which a VO comes in."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, cast

from fastapi import Request, Response
from pydantic import BaseModel, Field

from sancho.identity.service.configuration import GroupSpec, Name
from sancho.identity.service.providers import ProviderSpec
from sancho.kit.errors import PermissionMissing
from sancho.kit.problem import problems
from sancho.kit.web import Caller, Deployed, native
from sancho.onboarding import service
from sancho.onboarding.errors import VoExists
from sancho.onboarding.model import Check, Founding
from sancho.rules.service.quotas import QuotaSpec
from sancho.sites.service import ResourceName
from sancho.vos.errors import DocumentInvalid, NotYourConfiguration, ReferenceUnknown, VoNotFound
from sancho.vos.model import Change, Kind

router = native(tags=["configuration"])
Few = Field(max_length=100)


class GrantIn(BaseModel, extra="forbid"):
    """What the installation lets the VO use; with a site, all that is there."""

    kind: Literal["Site", "ComputeElement", "RSE"]
    name: ResourceName


class VoIn(BaseModel, extra="forbid"):
    """A VO, with all that it shall have from the start; by name what documents say of each."""

    name: Annotated[Name, Field(examples=["belle"])]
    alias: Annotated[str | None, Field(pattern=r"^[a-z0-9]{1,3}$", examples=["bel"])] = None
    share: Annotated[float | None, Field(ge=0.01, le=100)] = None
    passwords: bool | None = None
    admin: Name = "admin"
    """The first administrator's account; its password is in the answer, and nowhere else. In a VO without passwords it
    has none, and comes in by an identity provider, a key or a certificate."""
    email: Annotated[str | None, Field(max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")] = None
    """Where the first administrator can be reached."""
    providers: Annotated[dict[Name, ProviderSpec], Few] = {}
    groups: Annotated[dict[Name, GroupSpec], Few] = {}
    quotas: Annotated[dict[Name, QuotaSpec], Few] = {}
    scopes: Annotated[list[Annotated[str, Field(max_length=100)]], Few] = []
    """Scopes in which everybody of the VO may make DIDs."""
    grants: Annotated[list[GrantIn], Few] = []

    def founding(self) -> Founding:
        """The same as a value."""
        said = self.model_dump(mode="json", exclude_unset=True)
        return Founding(
            name=self.name, admin=self.admin, email=self.email, scopes=self.scopes,
            spec={key: said[key] for key in ("alias", "share", "passwords") if said.get(key) is not None},
            providers=said.get("providers", {}), groups=said.get("groups", {}), quotas=said.get("quotas", {}),
            grants=[(grant.kind, grant.name) for grant in self.grants],
        )  # fmt: skip


class Administrator(BaseModel):
    """Who may log in to a VO that has just been made."""

    account: str
    password: str | None
    """None in a VO without passwords."""


class VoOut(BaseModel):
    """What was made, and the login of the first administrator, which is shown this once."""

    version: int | None
    changes: list[Change]
    administrator: Administrator


@router.post(
    "/vos",
    status_code=201,
    responses=problems(
        VoExists, DocumentInvalid, ReferenceUnknown, NotYourConfiguration, PermissionMissing,
    ),
)  # fmt: skip
async def create(body: VoIn, request: Request, response: Response, caller: Caller, deployment: Deployed) -> VoOut:
    """Make a VO with all that it needs to begin, in one piece; for administrators of the installation."""
    kinds = cast(Sequence[Kind[Any]], request.app.state.kinds)
    made = await service.found(deployment, caller, body.founding(), kinds)
    response.headers["cache-control"] = "no-store"
    who = Administrator(account=made.admin, password=made.password)
    return VoOut(version=made.version, changes=made.changes, administrator=who)


@router.get("/vos/{name}/check", responses=problems(VoNotFound, PermissionMissing))
async def check(name: str, caller: Caller, deployment: Deployed) -> list[Check]:
    """Say whether a VO has what it needs to work, and what to do about what is missing."""
    return await service.check(deployment, caller, name)
