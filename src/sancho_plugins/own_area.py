"""A policy of many VOs: below some paths, everybody makes and changes only what lies in a folder of their own.

kind: Policy
name: user-areas
spec:
  plugin: own-area
  settings: {areas: ["user:home/{account}", "mc:users/{account}"]}
  permissions: ["dids:create", "uploads:create", "jobs:create"]
  reason: Everybody writes into their own folder.
"""

from typing import Annotated

from pydantic import BaseModel, Field

from sancho_contract.policy import NO_OPINION, Answer, Opinion, Question

WHOSE = "{account}"


class OwnAreaSettings(BaseModel, extra="forbid", frozen=True):
    """Where the folders are."""

    areas: Annotated[tuple[Annotated[str, Field(pattern=r"^[^\s:{}]+:[^\s{}]*\{account\}$")], ...], Field(min_length=1)]
    """Each `scope:path/{account}`: of what begins like the part before `{account}`, one's own folder and no other."""


class OwnArea:
    """Denies what lies in somebody else's folder, and has no opinion on the rest."""

    Settings: type[BaseModel] = OwnAreaSettings

    def __init__(self, settings: OwnAreaSettings) -> None:
        """Look after the areas of `settings`."""
        self._beginnings = tuple(f"did:{area.removesuffix(WHOSE)}" for area in settings.areas)

    def judge(self, question: Question) -> Answer:
        """Deny what is in an area and not in the account's folder."""
        thing = question.thing or ""
        for beginning in self._beginnings:
            own = f"{beginning}{question.account}"
            if thing.startswith(beginning) and thing != own and not thing.startswith(f"{own}/"):
                return Answer(Opinion.DENY, f"only {own.removeprefix('did:')} is yours there")
        return NO_OPINION
