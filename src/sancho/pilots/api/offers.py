"""What a pilot offers, as it says it."""

from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, Field

from sancho.jobs.model import Slot
from sancho.kit.units import Id, Seconds
from sancho.matching.model import Warm
from sancho.pilots.service.serving import Asked
from sancho.vos.model import LOWER_NAME


class WarmIn(BaseModel, extra="forbid"):
    """Inputs that a pilot has at hand, of one VO: files, or datasets of files."""

    vo: Annotated[str, Field(pattern=f"^{LOWER_NAME}$")]
    dids: Annotated[
        list[Annotated[str, Field(pattern=r"^[^:\s/]{1,64}:[^\x00-\x1f\x7f]{1,230}$")]], Field(max_length=100)
    ]

    def warm(self) -> Warm:
        """The same as a value of ours."""
        parts = (did.partition(":") for did in dict.fromkeys(self.dids))
        return Warm(vo=self.vo, dids=tuple((scope, name) for scope, _, name in parts))


class WholeIn(BaseModel, extra="forbid"):
    """A slot, whatever runs in it."""

    cores: Annotated[int, Field(ge=1, lt=2**31)]
    memory: Id


class OfferIn(BaseModel, extra="forbid"):
    """What a pilot can run now, and the attempts it has: bytes, seconds."""

    cores: Annotated[int, Field(ge=1, lt=2**31)]
    memory: Id
    walltime: Seconds
    tags: Annotated[list[Annotated[str, Field(max_length=128)]], Field(max_length=200)] = []
    held: Annotated[list[Id], Field(max_length=1000)] = []
    answered: bool = False
    """Whether it heard the answer when it asked the last time: nothing that it was given can have been lost then."""
    warm: WarmIn | None = None
    """What it need not fetch: among one owner's jobs of one priority those that read it come first."""
    whole: WholeIn | None = None
    """All of its slot, when it offers a part: it may have to keep its place for a job that needs more than that."""

    def asked(self) -> Asked:
        """The same as a value of ours."""
        slot = Slot(
            ce="", site="", cores=self.cores, memory=self.memory, walltime=timedelta(seconds=self.walltime),
            tags=frozenset(self.tags),
        )  # fmt: skip
        warm = None if self.warm is None else self.warm.warm()
        whole = None if self.whole is None else (self.whole.cores, self.whole.memory)
        return Asked(slot=slot, held=self.held, answered=self.answered, warm=warm, whole=whole)
