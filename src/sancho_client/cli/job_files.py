"""The YAML file of a job, and the parameters that go with it."""

import itertools
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, ValidationError

from sancho_client.errors import BadInput
from sancho_client.models.jobs import JobDescription
from sancho_client.models.submissions import After

Row = dict[str, Any]


class JobFile(JobDescription):
    """A description as users write it: with files to take along, and perhaps with its parameters."""

    files: list[str] = Field(default_factory=list[str])
    """Files and folders for the input sandbox, as seen from the YAML file."""
    parameters: list[Row] | None = None
    """One job for each row."""
    count: int | None = Field(default=None, ge=1)
    """So many jobs."""
    after: list[int | str | After] = Field(default_factory=list[int | str | After])
    """Jobs that come before: ids, or names of descriptions in the same file."""

    def with_sandbox(self, sha256: str | None, did: Callable[[str], str] = str) -> JobDescription:
        """The description as the server takes it; `did` makes DIDs of paths."""
        sent = self.model_dump(exclude_unset=True, exclude={"files", "parameters", "count", "after"})
        if "inputs" in sent:
            sent["inputs"] = [did(one) for one in self.inputs]
        for output in sent.get("outputs", ()):
            output |= {key: did(output[key]) for key in ("did", "dataset") if output.get(key)}
        return JobDescription.model_validate(sent | ({"sandbox": sha256} if sha256 else {}))


def read(path: Path, parameters: Sequence[str], count: int | None) -> tuple[JobFile, list[Row] | int | None]:
    """Read a job's file; returns it with rows of parameters, or how many jobs without any, or None for a single one."""
    return _one(path, _load(path)[0], parameters, count)


def read_all(path: Path, parameters: Sequence[str], count: int | None) -> list[tuple[JobFile, list[Row] | int | None]]:
    """Read a file of one or more jobs, `---` between them; what the command line says is for a single one."""
    given = _load(path)
    if len(given) > 1 and (parameters or count is not None):
        raise BadInput(
            f"{path} describes {len(given)} kinds of jobs, so --parameter and --count say nothing.", field="parameter"
        )
    return [_one(path, one, parameters, count) for one in given]


def _one(
    path: Path, given: Any, parameters: Sequence[str], count: int | None
) -> tuple[JobFile, list[Row] | int | None]:  # fmt: skip
    try:
        job = JobFile.model_validate(given)
    except ValidationError as e:
        first = e.errors(include_url=False)[0]
        field = ".".join(str(p) for p in first["loc"])
        raise BadInput(
            f"{path}: {field or 'the description'}: {first['msg']}.",
            field=field or None,
            hint="`sancho job submit --help` says what may stand there.",
        ) from e
    said = combine(parameters)
    own = job.parameters if job.parameters is not None else None
    number = count or (job.count if own is None else None)
    if own is not None and count is not None:
        raise BadInput(f"{path} has parameters of its own, so --count says nothing.", field="count")
    if own is None and number is not None and not parameters:
        return job, number
    base: list[Row] = own if own is not None else [{} for _ in range(number or 1)]
    rows = [{**row, **more} for row in base for more in said]
    return job, rows if own is not None or number is not None or parameters else None


def before(texts: Sequence[str]) -> list[int | str | After]:
    """What `--after` says: ids, `17` or `17:ended`."""
    found: list[int | str | After] = []
    for text in texts:
        number, _, when = text.partition(":")
        if not number.isascii() or not number.isdigit() or when not in {"", "done", "ended"}:
            raise BadInput(f"{text!r} is no job, such as 17 or 17:ended.", field="after")
        found.append(After(job_id=int(number), when="ended") if when == "ended" else int(number))
    return found


def combine(parameters: Sequence[str]) -> list[Row]:
    """Rows of `name=value`: one for each combination when names are given several times."""
    values: dict[str, list[Any]] = {}
    for text in parameters:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise BadInput(f"{text!r} is not NAME=VALUE.", field="parameter")
        values.setdefault(name, []).append(scalar(value))
    return [dict(zip(values, row, strict=True)) for row in itertools.product(*values.values())]


def scalar(text: str) -> Any:
    """A value from the command line: a number, true, false, a list; else the text as it is."""
    try:
        value: Any = yaml.safe_load(text)
    except yaml.YAMLError:
        return text
    return text if value is None or isinstance(value, str | date) else value


def _load(path: Path) -> list[Any]:
    try:
        with path.open("rb") as file:
            return list(yaml.safe_load_all(file)) or [None]
    except OSError as e:
        raise BadInput(f"{path} cannot be read: {e.strerror}.") from e
    except (yaml.YAMLError, UnicodeDecodeError) as e:
        raise BadInput(f"{path} is not YAML: {e}") from e
