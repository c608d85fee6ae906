"""What is read of CWL v1.2 CommandLineTools. Whatever is not here is refused, or said to be ignored."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

DEEPEST = 20
"""Objects and lists in each other."""
MOST_NODES = 50_000
"""Values of a tool and its inputs together."""
LONGEST_TEXT = 4096
MiB = 2**20

Position = Annotated[int, Field(ge=-(10**6), le=10**6)]
Text = Annotated[str, Field(max_length=LONGEST_TEXT)]
Words = Annotated[list["Argument"], Field(max_length=1000)]
Codes = Annotated[list[Annotated[int, Field(ge=0, le=255)]], Field(max_length=256)]
Amount = Annotated[float, Field(ge=0, le=1e9)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Binding(_Part):
    """How a value comes into the command."""

    position: Position = 0
    prefix: Text | None = None
    separate: bool = True
    itemSeparator: Text | None = None  # noqa: N815 - CWL's names
    shellQuote: Literal[True] = True  # noqa: N815


class Argument(Binding):
    """A word of the command that is not of an input."""

    valueFrom: Text  # noqa: N815


class Described(_Part):
    """What people are told."""

    label: Any = None
    doc: Any = None
    format: Any = None
    streamable: Any = None


class ToolInput(Described):
    """An input parameter."""

    type: Any
    default: Any = None
    inputBinding: Binding | None = None  # noqa: N815


class Glob(_Part):
    """Where an output is."""

    glob: Text | Annotated[list[Text], Field(max_length=100)]


class ToolOutput(Described):
    """An output parameter."""

    type: Any
    outputBinding: Glob | None = None  # noqa: N815


class Resources(_Part):
    """`ResourceRequirement`: cores, and MiB."""

    coresMin: Amount | None = None  # noqa: N815
    coresMax: Amount | None = None  # noqa: N815
    ramMin: Amount | None = None  # noqa: N815
    ramMax: Amount | None = None  # noqa: N815
    tmpdirMin: Amount = 0  # noqa: N815
    tmpdirMax: Amount | None = None  # noqa: N815
    outdirMin: Amount = 0  # noqa: N815
    outdirMax: Amount | None = None  # noqa: N815


class TimeLimit(_Part):
    """`ToolTimeLimit`: seconds."""

    timelimit: Amount


class Literally(_Part):
    """A file of the job's folder: a text that the tool has in itself, or an input."""

    entryname: Text | None = None
    entry: Text
    writable: bool = False


class WorkDir(_Part):
    """`InitialWorkDirRequirement`, as far as it has texts and inputs."""

    listing: Annotated[list[Literally | Text], Field(max_length=50)]


class OurHint(_Part):
    """`sancho:Job`: what our descriptions have and CWL has not; outputs by the names that the tool gives them."""

    group: Any = None
    type: Any = None
    job_group: Any = None
    priority: Any = 0
    max_attempts: Any = None
    retry: dict[str, Any] = {}
    close_datasets: Any = False
    requirements: dict[str, Any] = {}
    outputs: dict[str, dict[str, Any]] = {}


class Tool(_Part):
    """A CommandLineTool, its maps of names and lists of named things made maps."""

    baseCommand: Text | Annotated[list[Text], Field(max_length=1000)] = []  # noqa: N815
    arguments: Words = []
    inputs: dict[str, ToolInput]
    outputs: dict[str, ToolOutput]
    stdin: Text | None = None
    stdout: Text | None = None
    stderr: Text | None = None
    successCodes: Codes = []  # noqa: N815
    temporaryFailCodes: Codes = []  # noqa: N815
    permanentFailCodes: Codes = []  # noqa: N815
