"""How a request says what jobs wait for."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Discriminator, Field, Tag, model_validator

from sancho.jobs.model import MAX_ROWS, After, When, Which
from sancho.kit.units import Id

Named = Annotated[str, Field(min_length=1, max_length=128)]
Place = Annotated[int, Field(ge=1, le=MAX_ROWS)]


class AfterIn(BaseModel, extra="forbid"):
    """A job by its id, or the jobs of a description of the same call by its name.

    `which` of those with the name: all, the one with the `same` number, the `previous` one, or that with a `number`.
    With `job` only that one of the own jobs waits. They have to be `done`, or to have `ended`, whatever their end.
    """

    job_id: Id | None = None
    name: Named | None = None
    number: Place | None = None
    job: Place | None = None
    which: Literal["all", "same", "previous"] = "all"
    when: Literal["done", "ended"] = "done"

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.job_id is None) == (self.name is None):
            raise ValueError("say either job_id or name")
        if self.name is None and (self.number is not None or self.which != "all"):
            raise ValueError("number and which are for jobs of a name")
        if self.number is not None and self.which != "all":
            raise ValueError("say number or which, not both")
        return self

    def after(self) -> After:
        """The same as a value of ours."""
        return After(
            job_id=self.job_id, name=self.name, number=self.number, job=self.job, which=Which(self.which),
            when=When[self.when.upper()],
        )  # fmt: skip


def _form(value: Any) -> str:
    return "(more)" if isinstance(value, dict | AfterIn) else "(name)" if isinstance(value, str) else "(id)"


One = Annotated[
    Annotated[Id, Tag("(id)")] | Annotated[Named, Tag("(name)")] | Annotated[AfterIn, Tag("(more)")],
    Discriminator(_form),
]
Afters = Annotated[list[One], Field(max_length=MAX_ROWS)]
"""What jobs wait for: ids, names, or more said of either."""


def afters(said: Afters) -> tuple[After, ...]:
    """The same as values of ours."""
    return tuple(
        After(job_id=one) if isinstance(one, int) else After(name=one) if isinstance(one, str) else one.after()
        for one in said
    )
