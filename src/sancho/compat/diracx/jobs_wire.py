"""DiracX's words about jobs: searches, summaries, metadata."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

LONGEST = 4000
MOST_VALUES = 10_000
Word = Annotated[str, Field(max_length=200)]
Value = Annotated[str, Field(max_length=LONGEST)] | int
Scalar = Literal["eq", "neq", "gt", "lt", "like", "not like", "regex"]


class ScalarSpec(BaseModel):
    """A test by one value."""

    parameter: Word
    operator: Scalar
    value: Value


class VectorSpec(BaseModel):
    """A test by several values."""

    parameter: Word
    operator: Literal["in", "not in"]
    values: (
        Annotated[list[Annotated[str, Field(max_length=LONGEST)]], Field(max_length=MOST_VALUES)]
        | Annotated[list[int], Field(max_length=MOST_VALUES)]
    )


Spec = ScalarSpec | VectorSpec
Specs = Annotated[list[Spec], Field(max_length=50)]


class SortSpec(BaseModel):
    """What comes first."""

    parameter: Word
    direction: Literal["asc", "desc"]


class SearchParams(BaseModel):
    """Which jobs, and what of them; no `parameters` are all."""

    parameters: Annotated[list[Word], Field(max_length=100)] | None = None
    search: Specs = []
    sort: Annotated[list[SortSpec], Field(max_length=10)] = []
    distinct: bool = False


class SummaryParams(BaseModel):
    """Which jobs, and what they are counted by."""

    grouping: Annotated[list[Word], Field(max_length=10)]
    search: Specs = []


Row = dict[str, Any]
