"""CWL CommandLineTools to our descriptions. Pure; nothing is evaluated, and nothing else is read.

A tool is run without a shell, unless it redirects, brings files, or has outputs or exit codes to be looked at: then a
fixed script gets all names as arguments.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from pydantic import BaseModel, ValidationError

from sancho.jobs.cwl.tool import (
    DEEPEST,
    LONGEST_TEXT,
    MOST_NODES,
    Literally,
    MiB,
    OurHint,
    Resources,
    TimeLimit,
    Tool,
    ToolOutput,
    WorkDir,
)
from sancho.jobs.cwl.values import Value, Values, files_in, type_of, value_of, words
from sancho.jobs.errors import CwlUnfit
from sancho.jobs.model import PLACEHOLDER, leads_outside

M = TypeVar("M", bound=BaseModel)
BRACE = "brace"
"""The parameter that stands for a brace which is none of ours."""
SCRIPT = """\
n=$1; shift
while [ "$n" -gt 0 ]; do
mkdir -p "$(dirname "./$2")" || exit 125
case $1 in
text) printf %s "$3" >"./$2" ;;
link) ln -s "$PWD/$3" "./$2" ;;
copy) cp "$3" "./$2" && chmod u+w "./$2" ;;
esac || exit 125
shift 3; n=$((n - 1))
done
in=${1:-/dev/null} out=$2 err=$3 good=$4 made=$5; shift 5
exec 3>&2
[ -z "$out" ] || exec >"$out"
[ -z "$err" ] || exec 2>"$err"
trap : TERM INT
"$@" <"$in" 3>&-
code=$?
case " $good " in *" $code "*) code=0 ;; esac
[ "$code" -eq 0 ] || exit "$code"
IFS='
'
set -f; set -- $made; set +f
IFS=
for one; do
found=
for path in $one; do [ ! -e "./$path" ] || found=1; done
[ -n "$found" ] || { echo "The tool made no $one" >&3; exit 125; }
done
"""
"""Brings the files of a job's folder, runs the tool, and looks for what it was to make.

Gets the number of files; a kind, a name, and a text or path for each; stdin, stdout and stderr; the exit codes that are
good as well, and the patterns of outputs that have to be there, a line each; and the command. The tool's exit code is
its own; it is 125 when a file cannot be brought or an output is missing.
"""
TOLD = {"id", "label", "doc", "class", "cwlVersion", "intent", "requirements", "hints"}
IGNORED = {"NetworkAccess", "WorkReuse"}
"""Requirements that are met whatever they say: jobs have the network of their site, and nothing is used again."""
OURS = "sancho:Job"
_NO_TEXT = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, kw_only=True)
class Translated:
    """A description as our API takes it, its parameters, and what was not taken over."""

    description: dict[str, Any]
    parameters: dict[str, str]
    warnings: list[str]


def translate(tool: Mapping[str, Any], order: Mapping[str, Any]) -> Translated:
    """What a tool does with an input object; raises `CwlUnfit`, which names the field, for all that is not served."""
    _check_size([tool, order])
    warnings: list[str] = []
    asked = _asked(tool, warnings)
    read = _read(Tool, _body(tool, warnings), "tool")
    if unknown := sorted(set(order) - set(read.inputs)):
        raise CwlUnfit(reason="The tool has no such input.", field=f"job_order.{unknown[0][:100]}")
    inputs = {name: value_of(one, order.get(name), f"job_order.{name}") for name, one in read.inputs.items()}
    resources = _read(Resources, asked.get("ResourceRequirement", {}), "tool.requirements.ResourceRequirement")
    needs, runtime = _needs(resources, warnings)
    values = Values(inputs, runtime)
    ours = _read(OurHint, asked.get(OURS, {}), f"tool.hints.{OURS}")
    outputs, kept = _outputs(read, values, ours)
    if "ToolTimeLimit" in asked:
        limit = _read(TimeLimit, asked["ToolTimeLimit"], "tool.requirements.ToolTimeLimit").timelimit
        needs |= {"walltime": limit} if limit else {}
    description: dict[str, Any] = {
        "name": _name(tool), "command": [_bare(one) for one in _command(read, values, asked)],
        "environment": {name: _bare(one) for name, one in _environment(asked, values).items()},
        "inputs": files_in(list(inputs.values())), "outputs": outputs, "output_sandbox": kept,
        "requirements": {**needs, **ours.requirements}, "retry": {**_retry(read), **ours.retry},
        **ours.model_dump(exclude={"requirements", "outputs", "retry"}, exclude_unset=True),
    }  # fmt: skip
    return Translated(description=description, parameters={BRACE: "{"}, warnings=warnings)


def _retry(tool: Tool) -> dict[str, Any]:
    """What the tool says of its exit codes, as our descriptions say it."""
    for name, codes in (
        ("temporaryFailCodes", tool.temporaryFailCodes),
        ("permanentFailCodes", tool.permanentFailCodes),
    ):
        if 0 in codes:
            raise CwlUnfit(reason="A tool that ends with 0 has succeeded here.", field=f"tool.{name}")
        if both := set(codes) & set(tool.successCodes):
            raise CwlUnfit(reason=f"{min(both)} is among successCodes, too.", field=f"tool.{name}")
    if both := set(tool.temporaryFailCodes) & set(tool.permanentFailCodes):
        raise CwlUnfit(reason=f"{min(both)} is among permanentFailCodes, too.", field="tool.temporaryFailCodes")
    said = {"temporary": tool.temporaryFailCodes, "permanent": tool.permanentFailCodes}
    return {name: codes for name, codes in said.items() if codes}


def _bare(text: str) -> str:
    """The text as one in which our own parameters mean nothing."""
    return PLACEHOLDER.sub(lambda found: f"{{{BRACE}}}{found[0][1:]}", text)


def _check_size(value: Any) -> None:
    todo: list[tuple[Any, int]] = [(value, 0)]
    count = 0
    while todo:
        one, depth = todo.pop()
        count += 1
        if depth > DEEPEST or count > MOST_NODES:
            reason = f"It is nested deeper than {DEEPEST}, or has more than {MOST_NODES} values."
            raise CwlUnfit(reason=reason, field="tool")
        if isinstance(one, str) and _NO_TEXT.search(one):
            raise CwlUnfit(reason="A text has a NUL in it, or half a character.", field="tool")
        if isinstance(one, dict):
            todo += [(inner, depth + 1) for pair in cast(dict[str, Any], one).items() for inner in pair]
        elif isinstance(one, list):
            todo += [(inner, depth + 1) for inner in cast(list[Any], one)]


def _read(model: type[M], document: Any, where: str) -> M:
    try:
        return model.model_validate(document)
    except ValidationError as e:
        first = e.errors(include_url=False, include_context=False, include_input=False)[0]
        at = ".".join([where, *(str(part) for part in first["loc"])])
        raise CwlUnfit(reason=f"{first['msg']}.", field=at[:200]) from None


def _named(value: Any, key: str, short: str, where: str) -> dict[str, Any]:
    """A map of names, which CWL lets stand as a list, and in which a value alone stands for its `short` field."""
    if isinstance(value, list):
        found: dict[str, Any] = {}
        for n, one in enumerate(cast(list[Any], value)):
            name = cast(dict[str, Any], one).get(key) if isinstance(one, dict) else None
            if not isinstance(name, str) or name in found:
                raise CwlUnfit(reason=f"It has no {key}, or one that is there already.", field=f"{where}.{n}")
            found[name.removeprefix("#")] = {k: v for k, v in cast(dict[str, Any], one).items() if k != key}
        return found
    if not isinstance(value, dict):
        raise CwlUnfit(reason=f"It is to be a list, or a map by {key}.", field=where)
    document = cast(dict[str, Any], value)
    plain = {name: one for name, one in document.items() if short and _is_short(one, short)}
    return {name: {short: one} if name in plain else one for name, one in document.items()}


def _is_short(value: Any, short: str) -> bool:
    """A type may be an object itself: one of an array or an enumeration."""
    if not isinstance(value, dict):
        return True
    return short == "type" and cast(dict[str, Any], value).get("type") in ("array", "enum", "record")


def _body(tool: Mapping[str, Any], warnings: list[str]) -> dict[str, Any]:
    """What a tool does, without what it asks for and what is told to people."""
    if tool.get("class") != "CommandLineTool":
        reason = "Only a CommandLineTool is a job; workflows, with their steps and scatter, are not."
        raise CwlUnfit(reason=reason, field="tool.class")
    if tool.get("cwlVersion") not in ("v1.0", "v1.1", "v1.2"):
        raise CwlUnfit(reason="It is to be v1.2, or v1.0 or v1.1.", field="tool.cwlVersion")
    more = sorted(name for name in tool if ":" in name or name.startswith("$"))
    warnings += [f"{name[:100]} is not looked at." for name in more if name != "$namespaces"]
    body = {name: value for name, value in tool.items() if name not in TOLD and name not in more}
    for name in ("inputs", "outputs"):
        body[name] = _named(tool.get(name, {}), "id", "type", f"tool.{name}")
    if isinstance(said := body.get("arguments"), list):
        body["arguments"] = [{"valueFrom": one} if isinstance(one, str) else one for one in cast(list[Any], said)]
    return body


def _asked(tool: Mapping[str, Any], warnings: list[str]) -> dict[str, Any]:
    """Requirements, and those hints that we know, by their class. Raises `CwlUnfit` for requirements that we do not."""
    known = {"ResourceRequirement", "ToolTimeLimit", "EnvVarRequirement", "InitialWorkDirRequirement", OURS}
    found: dict[str, Any] = {}
    for place in ("hints", "requirements"):
        for name, said in _named(tool.get(place, {}), "class", "", f"tool.{place}").items():
            if name in known:
                found[name] = said
            elif place == "hints":
                warnings.append(f"Hint {name[:100]} is not known here, and ignored.")
            elif name not in IGNORED:
                raise CwlUnfit(reason=_why_not(name), field=f"tool.requirements.{name[:100]}")
    return found


def _why_not(name: str) -> str:
    return {
        "DockerRequirement": "Jobs have no images here; ask for an environment by a tag, or make it a hint.",
        "InlineJavascriptRequirement": "JavaScript is not run here.",
        "ShellCommandRequirement": "Commands are run without a shell.",
    }.get(name, f"Requirement {name[:100]} is not served.")


def _needs(said: Resources, warnings: list[str]) -> tuple[dict[str, Any], dict[str, str]]:
    """What the job needs of a slot, and what its references say of it."""
    least, most = said.coresMin or said.coresMax, said.coresMax or said.coresMin
    if said.tmpdirMax is not None or said.outdirMax is not None:
        warnings.append("tmpdirMax and outdirMax are ignored.")
    needs: dict[str, Any] = {}
    if least is not None and most is not None:
        needs |= {"cores": max(math.ceil(least), 1), "max_cores": max(math.ceil(most), 1)}
    memory = said.ramMin if said.ramMin is not None else said.ramMax
    if memory is not None:
        needs["memory"] = math.ceil(memory * MiB)
    if said.ramMax is not None:
        needs["memory_limit"] = math.ceil(said.ramMax * MiB)
    if said.tmpdirMin + said.outdirMin:
        needs["scratch"] = math.ceil((said.tmpdirMin + said.outdirMin) * MiB)
    runtime = {"cores": str(needs.get("cores", 1)), "outdir": "."}
    return needs, runtime | ({"ram": str(math.ceil(memory))} if memory is not None else {})


def _outputs(tool: Tool, values: Values, ours: OurHint) -> tuple[list[dict[str, Any]], list[str]]:
    """Outputs that become files of the catalogue, as our hint says, and those that come back in the sandbox."""
    promised: list[dict[str, Any]] = []
    kept: list[str] = []
    if unknown := sorted(set(ours.outputs) - set(tool.outputs)):
        raise CwlUnfit(reason="The tool has no such output.", field=f"tool.hints.{OURS}.outputs.{unknown[0][:100]}")
    for name, one in tool.outputs.items():
        where = f"tool.outputs.{name[:100]}"
        paths = _paths(tool, one, values, where)
        if name not in ours.outputs:
            kept += paths
        elif len(paths) != 1 or re.search(r"[*?\[{]", paths[0]):
            raise CwlUnfit(reason="An output with a DID has one name, no pattern.", field=where)
        else:
            promised.append({**ours.outputs[name], "path": _bare(paths[0])})
    return promised, [_bare(one) for one in dict.fromkeys(kept)]


def _paths(tool: Tool, output: ToolOutput, values: Values, where: str) -> list[str]:
    """The patterns that find an output."""
    if output.type in ("stdout", "stderr"):
        return [values.text(_redirected(tool, output.type) or "", where)]
    kind, _ = type_of(output.type, where)
    if kind not in ("File", ["File"]) or output.outputBinding is None:
        raise CwlUnfit(reason="Only files that a glob finds are outputs.", field=where)
    said = output.outputBinding.glob
    return [values.text(glob, f"{where}.outputBinding.glob") for glob in ([said] if isinstance(said, str) else said)]


def _redirected(tool: Tool, name: str) -> str | None:
    """Where stdout or stderr goes: where the tool says, or to a file of ours when it is an output."""
    said = tool.stdout if name == "stdout" else tool.stderr
    return f"{name}.txt" if said is None and any(one.type == name for one in tool.outputs.values()) else said


def _needed(tool: Tool, values: Values) -> list[str]:
    """The patterns of outputs that have to be there; those that the shell would read otherwise are not looked at."""
    found: list[str] = []
    for name, one in tool.outputs.items():
        where = f"tool.outputs.{name[:100]}"
        if one.type not in ("stdout", "stderr") and type_of(one.type, where) == ("File", False):
            paths = _paths(tool, one, values, where)
            found += paths if len(paths) == 1 and not re.search(r"\n|\*\*", paths[0]) else []
    return found


def _name(tool: Mapping[str, Any]) -> str:
    for said in (tool.get("id"), tool.get("label"), tool.get("baseCommand")):
        several = cast(list[Any], said) if isinstance(said, list) else [said]
        first = several[0] if several else None
        if isinstance(first, str) and (name := first.rpartition("#")[2].strip()[:128]):
            return name
    return "cwl"


def _command(tool: Tool, values: Values, asked: Mapping[str, Any]) -> list[str]:
    """The words of the command, those that are bound in the order of their positions."""
    bound: list[tuple[int, int, int | str, list[str]]] = []
    for n, argument in enumerate(tool.arguments):
        text = values.text(argument.valueFrom, f"tool.arguments.{n}")
        bound.append((argument.position, 0, n, words(text, argument)))
    for name, declared in tool.inputs.items():
        if declared.inputBinding is not None:
            bound.append((declared.inputBinding.position, 1, name, words(values.inputs[name], declared.inputBinding)))
    bound.sort(key=lambda one: (one[0], one[1], str(one[2]) if one[1] else f"{one[2]:06}"))
    base = [tool.baseCommand] if isinstance(tool.baseCommand, str) else tool.baseCommand
    command = [*base, *(word for *_, several in bound for word in several)]
    if not command:
        raise CwlUnfit(reason="It has no command: neither baseCommand nor arguments.", field="tool.baseCommand")
    files = _files(asked, values)
    redirected = {"stdin": tool.stdin, **{name: _redirected(tool, name) for name in ("stdout", "stderr")}}
    streams = [_stream(said, name, values) for name, said in redirected.items()]
    good = " ".join(str(code) for code in sorted({0, *tool.successCodes}))
    made = "\n".join(_needed(tool, values))
    if files or any(streams) or good != "0" or made:
        told = [text for file in files for text in file]
        command = ["sh", "-c", SCRIPT, "sh", str(len(files)), *told, *streams, good, made, *command]
    if long := next((one for one in command if len(one) > LONGEST_TEXT), None):
        raise CwlUnfit(reason=f"{long[:50]}… is longer than {LONGEST_TEXT} characters.", field="tool")
    return command


def _stream(said: str | None, name: str, values: Values) -> str:
    if said is None:
        return ""
    path = values.text(said, f"tool.{name}")
    # What the pilot has put beside the job's folder is read by names that begin so.
    inside = path.removeprefix("../inputs/") if name == "stdin" else path
    if leads_outside(inside):
        raise CwlUnfit(reason="It leads out of the job's folder.", field=f"tool.{name}")
    return path


def _files(asked: Mapping[str, Any], values: Values) -> list[tuple[str, str, str]]:
    """The files that the tool wants in the job's folder: text, link or copy; a name; a text, or an input's path."""
    where = "tool.requirements.InitialWorkDirRequirement"
    if "InitialWorkDirRequirement" not in asked:
        return []
    found: list[tuple[str, str, str]] = []
    for n, one in enumerate(_read(WorkDir, asked["InitialWorkDirRequirement"], where).listing):
        at = f"{where}.listing.{n}"
        wanted = Literally(entry=one) if isinstance(one, str) else one
        name = None if wanted.entryname is None else values.text(wanted.entryname, f"{at}.entryname")
        inputs = values.files(wanted.entry)
        if inputs is None and name is None:
            raise CwlUnfit(reason="It is to be an input that is a file, or a text with an entryname.", field=at)
        if name is not None and inputs is not None and len(inputs) != 1:
            raise CwlUnfit(reason="These are several files, which cannot have one name.", field=f"{at}.entryname")
        if inputs is None:
            found.append(("text", name or "", values.text(wanted.entry, f"{at}.entry")))
        else:
            kind = "copy" if wanted.writable else "link"
            found += [(kind, name or file.part("basename"), file.path) for file in inputs]
        if name is not None and leads_outside(name):
            raise CwlUnfit(reason="It leads out of the job's folder.", field=f"{at}.entryname")
    return found


def _environment(asked: Mapping[str, Any], values: Values) -> dict[str, str]:
    where = "tool.requirements.EnvVarRequirement.envDef"
    said = asked.get("EnvVarRequirement", {"envDef": {}})
    given = cast(dict[str, Any], said).get("envDef") if isinstance(said, dict) else None
    found: dict[str, str] = {}
    for name, one in _named(given, "envName", "envValue", where).items():
        value: Value = cast(dict[str, Any], one).get("envValue") if isinstance(one, dict) else None
        if not isinstance(value, str):
            raise CwlUnfit(reason="Its value is no text.", field=f"{where}.{name[:100]}")
        found[name] = values.text(value, f"{where}.{name[:100]}")
    return found
