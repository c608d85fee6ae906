"""JDLs to our descriptions of jobs. Pure.

Jobs that differ in what our descriptions fill in by themselves (command, environment, outputs) share a description;
where parameters stand elsewhere, or would change how a text is split, there is one for each of their values.
"""

import json
import re
import shlex
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import PurePosixPath
from urllib.parse import unquote

from sancho.compat.diracx.errors import JdlEmpty, JdlFault, JdlMixed, JdlRefused, JdlUnfit, TooDifferent, TooManyJobs
from sancho.compat.diracx.jdl_attributes import SERVED, Said
from sancho.compat.diracx.jdl_grammar import LONGEST, MOST_PARTS, Value, count_parts, parse
from sancho.compat.diracx.jdl_parameters import BRACE, LONGEST_FILLED, Row, filled, rows_of, template, used
from sancho.compat.diracx.sandboxes_grammar import Pfn, check_own
from sancho.dids.errors import PathMalformed
from sancho.dids.model import Path, parse_path, scope_of
from sancho.jobs.model import JOB_ID, MAX_ROWS, MOST_INPUTS, Description, Output, Requirement, RuleWish, leads_outside
from sancho.kit.units import LONGEST as LONGEST_TIME

MOST_DESCRIPTIONS = 500
"""Descriptions that one call may make: each costs some statements."""
LONGEST_TOGETHER = 16_000_000
"""Characters of all descriptions of one call, which may be more than those of the JDL that they come from."""
LONGEST_WORD, LONGEST_NAME, LONGEST_LFN = 4096, 128, 1000
MOST_WORDS, MOST_OUTPUTS, MOST_SITES, MOST_FEW = 1000, 1000, 1000, 100
LOCAL = 'if [ -f "$0" ]; then chmod u+x "$0"; exec "./$0" "$@"; fi; exec "$0" "$@"'
"""Runs a program of the job's folder, executable or not; else one of PATH."""
_WORD = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")
_PART = re.compile(r"[A-Za-z0-9_@%+=,.-]+")
_RSE = re.compile(r"[A-Za-z0-9_.-]+")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def _scalar(value: object) -> bool:
    return not isinstance(value, list | dict)


def _final(value: object) -> bool:
    return _scalar(value) and "%j" not in str(value)


def _word(value: object) -> bool:
    return _final(value) and _WORD.fullmatch(str(value)) is not None


def _part(value: object) -> bool:
    return _final(value) and _PART.fullmatch(str(value)) is not None


FILLED_IN: Mapping[str, Callable[[object], bool]] = {
    "executable": _word, "arguments": _word, "environment": _final, "outputsandbox": _final, "outputdata": _part,
    "outputpath": _part,
}  # fmt: skip
"""Attributes that jobs fill in by themselves, and the values for which that is as if they stood in the JDL."""
EXPANDED = frozenset(
    key for key in map(str.lower, SERVED) if not key.startswith(("parameter", "std", "jobname", "jobgroup", "jobtype"))
)
"""Attributes in which parameters mean something; the others are the same for all jobs of a JDL."""


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """Who submits, and where; `folder` is new, in the account's own scope, for outputs that name none.

    In it each job has one of its own, by its number among those that were asked for.
    """

    vo_names: tuple[str, ...]
    """The VO's name, and others that paths may begin with."""
    account: str
    group: str | None
    groups: Collection[str]
    """Those that the account is in."""
    benchmark: float
    """HS06 of a core."""
    folder: str
    sandbox: str | None = None
    """The sandbox that holds the files which an input sandbox names by what they were called where it was made."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Jobs of one description: their parameters, and their places among all that were asked for."""

    description: Description
    rows: list[Row]
    places: list[int]


def read(texts: Sequence[str], around: Surroundings) -> tuple[list[Wanted], bool]:
    """The jobs that a list of JDLs asks for, and whether it is one parametric one; else all are plain.

    They come in an order that is the same whoever asks for the same, as their task queues are locked in it.

    Raises `JdlFault`, `JdlMixed`, `TooManyJobs`, `TooDifferent`, `SandboxNameUnfit` or `SandboxNotYours`.
    """
    if not texts:
        raise JdlEmpty
    if len(texts) > MAX_ROWS:
        raise TooManyJobs(count=len(texts), limit=MAX_ROWS)
    if sum(map(len, texts)) > LONGEST:
        raise JdlRefused(reason=f"The JDLs have more than {LONGEST} characters together.", field=None, hint=None)
    if len(texts) == 1:
        said, rows = _said(texts[0])
        if rows is not None:
            return _in_order(parametric_jobs(said, rows, around)), True
    return _in_order(plain_jobs(texts, around)), False


def _in_order(wanted: list[Wanted]) -> list[Wanted]:
    return sorted(wanted, key=lambda one: repr((one.description.requirements, one.description.inputs)))


def _said(text: str) -> tuple[Said, list[Row] | None]:
    said = Said.of(parse(text))
    return said, rows_of(said.attributes)


def plain_jobs(texts: Sequence[str], around: Surroundings) -> list[Wanted]:
    """Jobs of JDLs that are not parametric, those that are alike together.

    Reading stops at the first that cannot be taken. Raises `JdlFault`, `JdlMixed` or `TooDifferent`.
    """
    known: dict[str, tuple[str, Description]] = {}
    wanted: dict[str, Wanted] = {}
    parts = 0
    for place, text in enumerate(texts):
        try:
            if text not in known:
                if (parts := parts + count_parts(text)) > MOST_PARTS:
                    reason = f"The JDLs have more than {MOST_PARTS} names, values and signs together."
                    raise JdlRefused(reason=reason, field=None, hint="Submit them in parts.")
                known[text] = _plain(text, around)
            key, made = known[text]
        except JdlFault as e:
            if len(texts) > 1 and not isinstance(e, JdlRefused):
                e.number = place + 1
            raise
        one = wanted.setdefault(key, Wanted(description=made, rows=[], places=[]))
        given: Row = {BRACE: "{", "n": place}
        one.rows.append({name: value for name, value in given.items() if f"{{{name}}}" in key})
        one.places.append(place)
        if len(wanted) > MOST_DESCRIPTIONS:
            raise TooDifferent(limit=MOST_DESCRIPTIONS)
    return list(wanted.values())


def _plain(text: str, around: Surroundings) -> tuple[str, Description]:
    """The description of a JDL that is not parametric, and what it has in common with those that are alike."""
    said, rows = _said(text)
    if rows is not None:
        raise JdlMixed
    made = _description(said, {key: {} for key in FILLED_IN}, around)
    return json.dumps(asdict(made), default=str, sort_keys=True), made


def parametric_jobs(said: Said, rows: Sequence[Row], around: Surroundings) -> list[Wanted]:
    """Jobs of a parametric JDL; raises `JdlFault` or `TooDifferent`."""
    expanded, keys = _expanded(said, rows)
    groups: dict[str, list[int]] = {}
    for place, row in enumerate(rows):
        groups.setdefault(json.dumps([row[key] for key in keys]), []).append(place)
    weight = sum(_weight(value) for value in expanded.values()) * len(groups)
    if len(groups) > MOST_DESCRIPTIONS or weight > MOST_PARTS:
        raise TooDifferent(limit=MOST_DESCRIPTIONS)
    wanted: list[Wanted] = []
    size = 0
    for places in groups.values():
        first = rows[places[0]]
        values = {key: filled(said.attributes[key][0], value, first) for key, value in expanded.items()}
        rest = {key: {} if key in expanded else first for key in FILLED_IN}
        made = _description(said.with_values(values), rest, around)
        key = json.dumps(asdict(made), default=str)
        if (size := size + len(key)) > LONGEST_TOGETHER:
            raise JdlRefused(
                reason=f"The descriptions of these jobs have more than {LONGEST_TOGETHER} characters together.",
                field=None, hint="Submit them in parts.",
            )  # fmt: skip
        more: Row = {BRACE: "{"} if f"{{{BRACE}}}" in key else {}
        mine = [{key: value for key, value in rows[n].items() if _scalar(value)} | more for n in places]
        wanted.append(Wanted(description=made, rows=mine, places=places))
    return wanted


def _expanded(said: Said, rows: Sequence[Row]) -> tuple[dict[str, Value], list[str]]:
    """The attributes that need a description for each value of their parameters, and these parameters."""
    expanded: dict[str, Value] = {}
    keys: set[str] = set()
    for key, (_, value) in said.attributes.items():
        mine = used(value) & rows[0].keys()
        fits = FILLED_IN.get(key)
        whole = fits is not None and all(fits(row[one]) for one in mine for row in rows)
        if mine and not whole and key in EXPANDED:
            expanded[key] = value
            keys |= mine
    return expanded, sorted(keys)


def _weight(value: Value) -> int:
    if isinstance(value, str):
        return 1
    return 1 + sum(map(_weight, value if isinstance(value, list) else value.values()))


def _description(said: Said, rows: Mapping[str, Row], around: Surroundings) -> Description:
    """The description of a JDL; `rows` has the parameters that become ours, for each attribute that is filled in."""
    texts = {key: template(said.attributes[key][1], row) for key, row in rows.items() if key in said.attributes}
    program = "".join(said.text("Executable", LONGEST_WORD).split()[:1])
    name = said.text("JobName", LONGEST_NAME, PurePosixPath(program).name[:LONGEST_NAME] or "job")
    inputs, sandbox = _inputs(said, around)
    said = said.with_values(texts)
    command = _command(said, in_folder=bool(inputs or sandbox))
    std = {
        said.text(name, LONGEST_NAME, default) for name, default in (("StdOutput", "std.out"), ("StdError", "std.err"))
    }
    patterns = said.texts("OutputSandbox", most=MOST_FEW, longest=LONGEST_WORD)
    return Description(
        name=name, command=command, group=around.group, type=said.text("JobType", LONGEST_NAME) or None,
        job_group=said.text("JobGroup", LONGEST_NAME) or None,
        environment=_environment(said), sandbox=sandbox, inputs=inputs,
        outputs=_outputs(said, around),
        output_sandbox=tuple(pattern for pattern in patterns if pattern not in std),
        requirements=_requirement(said, around.benchmark),
        priority=int(said.number("Priority", least=-1000, most=1000) or 0),
    )  # fmt: skip


def _requirement(said: Said, benchmark: float) -> Requirement:
    """What a JDL needs of a slot, as far as requirements have words for it."""
    cores = [said.number(f"{which}NumberOfProcessors", least=1, most=4096) for which in ("", "Min", "Max")]
    needed = max(cores[0] or 1, cores[1] or 1)
    if cores[2] is not None and cores[2] < needed:
        raise JdlUnfit(attribute="MaxNumberOfProcessors", reason="is less than the processors that are asked for")
    memory = max(said.number(f"{which}RAM", least=0, most=1_000_000, whole=False) or 0 for which in ("Min", "Max"))
    most = int(LONGEST_TIME.total_seconds() * benchmark)
    cpu = said.number("CPUTime", least=1, most=most, whole=False)
    tags = said.texts("Tags", most=MOST_FEW, longest=LONGEST_NAME)
    if platforms := _any(said, "Platform"):
        tags = [*tags, " | ".join(f"platform:{one}" for one in platforms)]
    if said.flag("WholeNode"):
        tags = [*tags, "WholeNode"]
    usual = Requirement()
    return Requirement(
        cores=int(needed), max_cores=None if cores[2] is None else int(cores[2]),
        memory=int(memory * 1_000_000_000) or usual.memory,
        walltime=usual.walltime if cpu is None else max(timedelta(seconds=1), timedelta(seconds=cpu / benchmark)),
        tags=tuple(tags), sites=tuple(_any(said, "Site")), banned_sites=tuple(_any(said, "BannedSites")),
    )  # fmt: skip


def _any(said: Said, name: str) -> list[str]:
    """Names of a kind; none when any will do."""
    found = said.texts(name, most=MOST_SITES, longest=LONGEST_NAME, between=",;")
    return [] if any(one.lower() == "any" for one in found) else found


def _command(said: Said, *, in_folder: bool) -> tuple[str, ...]:
    executable = said.text("Executable", LONGEST_WORD)
    if not executable:
        raise JdlUnfit(attribute="Executable", reason="is missing")
    try:
        words = shlex.split(f"{executable} {said.text('Arguments', LONGEST_FILLED)}")
    except ValueError as e:
        raise JdlUnfit(attribute="Arguments", reason=f"cannot be split into words: {e}") from e
    if len(words) > MOST_WORDS or any(len(word) > LONGEST_WORD for word in words):
        reason = f"is of more than {MOST_WORDS} words, or has one of more than {LONGEST_WORD} characters"
        raise JdlUnfit(attribute="Arguments", reason=reason)
    if not words or not words[0]:
        raise JdlUnfit(attribute="Executable", reason="is missing")
    return ("/bin/sh", "-c", LOCAL, *words) if in_folder and not words[0].startswith("/") else tuple(words)


def _environment(said: Said) -> dict[str, str]:
    value = said.value("Environment")
    if isinstance(value, dict):
        pairs = [
            (name, Said({"environment": (name, one)}).text("Environment", LONGEST_WORD)) for name, one in value.items()
        ]
    else:
        listed = said.texts("Environment", most=MOST_WORDS, longest=LONGEST_FILLED, between=";")
        parts = [text.partition("=") for text in listed]
        if any(not equals for _, equals, _ in parts):
            raise JdlUnfit(attribute="Environment", reason="has something in it that is not NAME=VALUE")
        pairs = [(name.strip(), unquote(text)) for name, _, text in parts]
    for name, text in pairs:
        if _VARIABLE.fullmatch(name) is None or len(name) > LONGEST_NAME:
            raise JdlUnfit(attribute="Environment", reason=f"names a variable {name[:100]!r}, which none can be called")
        if len(text) > LONGEST_WORD or "\0" in text:
            raise JdlUnfit(attribute="Environment", reason=f"has a value for {name} that no variable can have")
    return dict(pairs)


def _inputs(said: Said, around: Surroundings) -> tuple[tuple[str, ...], str | None]:
    """The inputs, and the input sandbox."""
    wanted = said.texts("InputData", most=MOST_INPUTS, longest=LONGEST_LFN)
    dids = [_input("InputData", one, around) for one in wanted]
    sandboxes: list[str] = []
    for one in said.texts("InputSandbox", most=MOST_INPUTS, longest=LONGEST_LFN):
        if one.lower().startswith("lfn:"):
            dids.append(_input("InputSandbox", one, around))
        elif one.startswith("SB:"):
            named = Pfn.of(one)
            check_own(named, around.vo_names[0], around.account, around.groups)
            sandboxes.append(named.sha256.hex())
        elif around.sandbox is not None:
            sandboxes.append(around.sandbox)
        else:
            raise JdlUnfit(
                attribute="InputSandbox", reason=f"names {one[:200]}, which is no sandbox that was uploaded",
                hint="Upload a sandbox of it first, and name that: SB:….",
            )  # fmt: skip
    if len(set(sandboxes)) > 1:
        raise JdlUnfit(attribute="InputSandbox", reason="names several sandboxes; a job has one")
    if len(dids) > MOST_INPUTS:
        raise JdlUnfit(attribute="InputData", reason=f"has more than {MOST_INPUTS} values")
    return tuple(dict.fromkeys(dids)), sandboxes[0] if sandboxes else None


def _input(attribute: str, text: str, around: Surroundings) -> str:
    """The DID that an LFN means, with the VO before it when that is another; a DID is one already."""
    lfn = _bare(text)
    if lfn == text and not lfn.startswith("/") and ":" in lfn:
        return lfn
    path = _path(attribute, lfn)
    owner = "" if path.vo in around.vo_names else f"{path.vo}/"
    return f"{owner}{path.scope}:{path.name}"


def _bare(text: str) -> str:
    return text[4:] if text[:4].lower() == "lfn:" else text


def _path(attribute: str, lfn: str) -> Path:
    try:
        path = parse_path(lfn)
    except PathMalformed as e:
        raise JdlUnfit(attribute=attribute, reason=f"is not fit: {str(e).rstrip('.')}") from e
    if not lfn.startswith("/") or not path.name or path.is_directory:
        raise JdlUnfit(attribute=attribute, reason=f"says {lfn[:200]}, which is no LFN: /VO/SCOPE/NAME")
    return path


def _outputs(said: Said, around: Surroundings) -> tuple[Output, ...]:
    names = said.texts("OutputData", most=MOST_OUTPUTS, longest=LONGEST_LFN)
    if not names:
        return ()
    rses = _any(said, "OutputSE")
    if strange := next((one for one in rses if _RSE.fullmatch(one) is None), None):
        raise JdlUnfit(attribute="OutputSE", reason=f"names {strange[:100]!r}, which is no RSE")
    rule = RuleWish(rse_expression="|".join(f"rse={one}" for one in rses) or "*")
    area = _area(said, around)
    return tuple(_output(name, area, rule, around) for name in names)


def _area(said: Said, around: Surroundings) -> str:
    """Where outputs go that are no whole LFN, as `SCOPE:NAME/`."""
    path = _bare(said.text("OutputPath", LONGEST_LFN)).rstrip("/")
    if not path:
        return f"{scope_of(around.account)}:{around.folder}/{{n}}/"
    if not path.startswith("/"):
        return f"{scope_of(around.account)}:{path}/"
    whole = _own(_path("OutputPath", f"{path}/x"), "OutputPath", around)
    return whole.removesuffix("x")


def _own(path: Path, attribute: str, around: Surroundings) -> str:
    if path.vo not in around.vo_names:
        raise JdlUnfit(attribute=attribute, reason=f"is in VO {path.vo[:100]}; a job writes for {around.vo_names[0]}")
    return f"{path.scope}:{path.name}"


def _output(name: str, area: str, rule: RuleWish, around: Surroundings) -> Output:
    lfn = _bare(name)
    if any(sign in lfn for sign in "*?["):
        raise JdlUnfit(
            attribute="OutputData", reason=f"says {name[:200]}: outputs are promised by name, not by a pattern",
            hint="OutputSandbox takes patterns.",
        )  # fmt: skip
    if lfn.startswith("/"):
        path, did = PurePosixPath(lfn).name, _own(_path("OutputData", lfn), "OutputData", around)
    else:
        path, did = lfn, area + PurePosixPath(lfn).name
    if leads_outside(path):
        raise JdlUnfit(attribute="OutputData", reason=f"says {name[:200]}, which is not in the job's folder")
    if f"{{{JOB_ID}}}" in path + did:
        raise JdlUnfit(
            attribute="OutputData", reason="has %j in it: outputs have their names before jobs have numbers",
            hint="Take %n, or leave OutputPath out to have a new one.",
        )  # fmt: skip
    return Output(path=path, did=did, rule=rule)
