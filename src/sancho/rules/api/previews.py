"""Native route of what would come of a rule."""

from typing import Literal, Self

from pydantic import BaseModel

from sancho.dids.errors import DidMalformed, DidNotFound
from sancho.kit.errors import PermissionMissing
from sancho.kit.problem import problems
from sancho.kit.web import Caller, Transaction, native
from sancho.rses.errors import RseExpressionEmpty, RseExpressionInvalid
from sancho.rules import service
from sancho.rules.api.rules import RuleIn
from sancho.rules.model import Preview, RuleRequest

router = native(tags=["rules"])


class PreviewPlace(BaseModel):
    """What a rule would do on an RSE: files and bytes that are there or on their way, and bytes that are to be copied.

    `seconds`: how long that takes at the speed of the last hours; null when nothing to speak of has come there of late.
    """

    rse: str
    files: int
    size: int
    to_copy: int
    seconds: float | None


class PreviewQuota(BaseModel):
    """A quota that would be charged `needed` bytes and has `room`; `lacks` is how many bytes more it would need."""

    name: str
    account: str | None
    rse_expression: str
    room: int
    needed: int
    lacks: int


class PreviewOut(BaseModel):
    """What would come of a rule now, were it made; nothing is.

    `reason` says why it would be refused; then `fewer_copies` could be placed, or any of the RSEs `unwritable` would
    do if it could be written. `looked_at`: so many files were looked at, for there are more; null: all.
    """

    verdict: Literal["ok", "refused"]
    files: int
    size: int
    charged: int
    to_copy: int
    seconds: float | None
    places: list[PreviewPlace]
    quotas: list[PreviewQuota]
    reason: str | None
    fewer_copies: int | None
    unwritable: list[str]
    looked_at: int | None

    @classmethod
    def of(cls, preview: Preview) -> Self:
        """The same as the API says it."""
        prospect, places = preview.prospect, preview.places
        times = [place.time for place in places]
        known = [time.total_seconds() for time in times if time is not None]
        lacking = {quota.quota_id: size for quota, size in prospect.lacking}
        return cls(
            verdict="ok" if prospect.reason is None else "refused", files=prospect.files, size=prospect.size,
            charged=prospect.size * len(places), to_copy=sum(place.to_copy for place in places),
            seconds=max(known) if known and len(known) == len(times) else None,
            places=[
                PreviewPlace(
                    rse=place.rse, files=place.files, size=place.size, to_copy=place.to_copy,
                    seconds=None if place.time is None else place.time.total_seconds(),
                )
                for place in places
            ],
            quotas=[
                PreviewQuota(
                    name=quota.name, account=quota.account, rse_expression=quota.rse_expression,
                    room=(room := max(quota.room - quota.over, 0)), lacks=(lacks := lacking.get(quota.quota_id, 0)),
                    needed=room + lacks if lacks else needed,
                )
                for quota, needed in preview.quotas
            ],
            reason=prospect.reason, fewer_copies=prospect.copies, unwritable=list(prospect.unwritable),
            looked_at=preview.looked_at,
        )  # fmt: skip


@router.post(
    "/rules/preview",
    responses=problems(DidMalformed, DidNotFound, RseExpressionInvalid, RseExpressionEmpty, PermissionMissing),
)
async def preview(rule: RuleIn, caller: Caller, conn: Transaction) -> PreviewOut:
    """Say what would come of a rule: where its copies would be, what is to be copied, what quotas are charged."""
    return PreviewOut.of(await service.preview(conn, caller, RuleRequest(**rule.model_dump())))
