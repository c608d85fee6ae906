"""CWL CommandLineTools as jobs."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sancho.jobs.api.submitting import DescriptionIn
from sancho.jobs.cwl.translate import translate
from sancho.jobs.errors import CwlUnfit
from sancho.jobs.model import Retry, fill

TOOL: dict[str, Any] = {
    "cwlVersion": "v1.2", "class": "CommandLineTool", "id": "sim", "baseCommand": ["simulate", "run"],
    "inputs": {
        "events": {"type": "int", "inputBinding": {"position": 2, "prefix": "-n"}},
        "verbose": {"type": "boolean?", "inputBinding": {"prefix": "-v"}},
        "tags": {"type": "string[]", "default": [],
                 "inputBinding": {"position": 3, "prefix": "-t", "itemSeparator": ","}},
        "data": {"type": ["null", "File"], "inputBinding": {"position": 4, "prefix": "--in=", "separate": False}},
    },
    "outputs": {"made": {"type": "File", "outputBinding": {"glob": "$(inputs.events).root"}}},
}  # fmt: skip


def command(tool: dict[str, Any], **order: Any) -> list[str]:
    read = translate(tool, order)
    DescriptionIn.model_validate(read.description)
    return [fill(one, read.parameters) for one in read.description["command"]]


def words(tool: dict[str, Any], **order: Any) -> list[str]:
    """The command of the tool itself, without what looks after it."""
    said = command(tool, **order)
    return said[5 + 3 * int(said[4]) + 5 :] if said[:2] == ["sh", "-c"] else said


def test_inputs_become_words_in_the_order_of_their_positions() -> None:
    data = {"class": "File", "location": "sancho://mc:run1/f.root"}
    assert words(TOOL, events=5, verbose=True, tags=["a b", "$(x)"], data=data) == [
        "simulate", "run", "-v", "-n", "5", "-t", "a b,$(x)", "--in=../inputs/mc/run1/f.root",
    ]  # fmt: skip
    assert words(TOOL, events=5) == ["simulate", "run", "-n", "5"]
    said = translate(TOOL, {"events": 5, "data": data | {"location": "mc:f"}}).description
    assert (said["inputs"], said["output_sandbox"], said["outputs"]) == (["mc:f"], ["5.root"], [])


def test_requirements_become_ours() -> None:
    asks = {
        "requirements": {
            "ResourceRequirement": {"coresMin": 2, "coresMax": 8, "ramMin": 1000, "ramMax": 2000, "outdirMin": 10},
            "ToolTimeLimit": {"timelimit": 60},
            "EnvVarRequirement": {"envDef": {"N": "$(inputs.events) of $(runtime.cores)"}},
        },
        "hints": [
            {"class": "sancho:Job", "requirements": {"sites": ["A"]}, "priority": 3,
             "outputs": {"made": {"did": "mc:out_{number}"}}},
            {"class": "DockerRequirement", "dockerPull": "x"},
        ],
    }  # fmt: skip
    read = translate(TOOL | asks, {"events": 1})
    said = DescriptionIn.model_validate(read.description).description()
    need = said.requirements
    assert (need.cores, need.max_cores, need.memory, need.memory_limit) == (2, 8, 1000 * 2**20, 2000 * 2**20)
    assert (need.scratch, need.walltime.total_seconds(), need.sites, said.priority) == (10 * 2**20, 60, ("A",), 3)
    assert said.environment == {"N": "1 of 2"}
    assert [(o.path, o.did) for o in said.outputs] == [("1.root", "mc:out_{number}")]
    assert read.warnings == ["Hint DockerRequirement is not known here, and ignored."]


def test_streams_and_files_reach_the_tool_however_they_are_called(tmp_path: Path) -> None:
    nasty = "a '\"$(touch no) {number}; b"
    tool = TOOL | {
        "baseCommand": ["cat"], "arguments": ["-", {"valueFrom": "in/$(inputs.name)"}],
        "inputs": {"name": "string"}, "outputs": {"out": "stdout"},
        "stdin": "in/$(inputs.name)", "stdout": "o $(inputs.name)",
        "requirements": {"InitialWorkDirRequirement": {"listing": [
            {"entryname": "in/$(inputs.name)", "entry": "text of $(inputs.name)\n"}]}},
    }  # fmt: skip
    subprocess.run(command(tool, name=nasty), cwd=tmp_path, check=True)
    assert (tmp_path / f"o {nasty}").read_text() == f"text of {nasty}\n" * 2
    assert {path.name for path in tmp_path.rglob("*")} == {"in", nasty, f"o {nasty}"}


def run(folder: Path, tool: dict[str, Any], **order: Any) -> "subprocess.CompletedProcess[str]":
    """Run a tool as a pilot does, in a folder beside its inputs."""
    (folder / "work").mkdir(exist_ok=True)
    return subprocess.run(command(tool, **order), cwd=folder / "work", text=True, capture_output=True, check=False)


def shell(script: str, **more: Any) -> dict[str, Any]:
    return TOOL | {"baseCommand": ["sh", "-c", script], "inputs": {}, "outputs": {}} | more


@pytest.mark.parametrize(
    ("ended", "codes", "seen"),
    [(0, [3], 0), (3, [3, 4], 0), (4, [3, 4], 0), (5, [3, 4], 5), (3, [], 3), (255, [25], 255)],
)
def test_a_tool_succeeds_with_the_codes_that_it_says(tmp_path: Path, ended: int, codes: list[int], seen: int) -> None:
    assert run(tmp_path, shell(f"exit {ended}", successCodes=codes, stdout="o")).returncode == seen


@pytest.mark.parametrize(
    ("kind", "glob", "code"),
    [("File", "made*", 0), ("File", "ma[cd]e 1.txt", 0), ("File", "none*", 125), ("File?", "none*", 0),
     ("File[]", "none*", 0), ("File", "m[", 125), ("File", "* 1*", 0), ("File", "**/x", 0)],
)  # fmt: skip
def test_an_output_that_has_to_be_there_and_is_not_is_a_failure(
    tmp_path: Path, kind: str, glob: str, code: int
) -> None:
    outputs = {"one": {"type": kind, "outputBinding": {"glob": glob}}}
    ended = run(tmp_path, shell("touch 'made 1.txt'", outputs=outputs, stderr="e"))
    assert ended.returncode == code
    assert ended.stderr == (f"The tool made no {glob}\n" if code else "")


def test_streams_that_are_outputs_have_a_name_of_ours_when_the_tool_gives_none(tmp_path: Path) -> None:
    tool = shell("echo out; echo err >&2", outputs={"o": "stdout", "e": "stderr"})
    assert (run(tmp_path, tool).returncode, translate(tool, {}).description["output_sandbox"]) == (
        0, ["stdout.txt", "stderr.txt"],
    )  # fmt: skip
    assert [(tmp_path / "work" / f"{name}.txt").read_text() for name in ("stdout", "stderr")] == ["out\n", "err\n"]


def test_inputs_are_brought_into_the_jobs_folder(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / "inputs" / "mc").mkdir(parents=True, exist_ok=True)
        (tmp_path / "inputs" / "mc" / name).write_text(name)
    listing = [
        {"entry": "$(inputs.one)", "entryname": "in/$(inputs.one.basename).copy", "writable": True},
        "$(inputs.all)",
    ]
    tool = shell(
        "echo more >>in/one.copy; cat in/one.copy one two",
        inputs={"one": "File", "all": "File[]"},
        requirements={"InitialWorkDirRequirement": {"listing": listing}},
    )
    one, two = ({"class": "File", "location": f"mc:{name}"} for name in ("one", "two"))
    assert run(tmp_path, tool, one=one, all=[one, two]).stdout == "onemore\nonetwo"
    with pytest.raises(CwlUnfit, match="several"):
        translate(tool | {"requirements": {"InitialWorkDirRequirement": {"listing": [
            {"entry": "$(inputs.all)", "entryname": "x"}]}}}, {"one": one, "all": [one, two]})  # fmt: skip


def test_what_a_tool_says_of_its_failures_becomes_how_often_it_is_tried_again() -> None:
    tool = TOOL | {"temporaryFailCodes": [75, 3], "permanentFailCodes": [4]}
    said = translate(tool | {"hints": {"sancho:Job": {"retry": {"job": 1}, "max_attempts": 9}}}, {"events": 1})
    described = DescriptionIn.model_validate(said.description).description()
    assert described.retry == Retry(job=1, temporary=(75, 3), permanent=(4,))
    assert described.max_attempts == 9


@pytest.mark.parametrize(
    ("change", "field", "reason"),
    [
        ({"class": "Workflow"}, "tool.class", "scatter"),
        ({"cwlVersion": "v2"}, "tool.cwlVersion", "v1.2"),
        ({"requirements": {"InlineJavascriptRequirement": {}}}, "InlineJavascriptRequirement", "JavaScript"),
        ({"requirements": [{"class": "DockerRequirement"}]}, "DockerRequirement", "images"),
        ({"requirements": {"Nonsense": {}}}, "tool.requirements.Nonsense", "not served"),
        ({"arguments": ["${return 1}"]}, "tool.arguments.0", "JavaScript"),
        ({"arguments": ["$(inputs.events + 1)"]}, "tool.arguments.0", "plain reference"),
        ({"arguments": [{"valueFrom": "x", "shellQuote": False}]}, "shellQuote", "True"),
        ({"baseCommand": []}, None, None),
        ({"outputs": {"x": "int"}}, "tool.outputs.x", "glob"),
        ({"inputs": {"events": "Directory"}}, "job_order.events", "type"),
        ({"inputs": {"events": "int" + "[]" * 40}}, "job_order.events", "rrays"),
        ({"stdout": "../x"}, "tool.stdout", "leads out"),
        ({"stdin": "/etc/passwd"}, "tool.stdin", "leads out"),
        ({"successCodes": [256]}, "tool.successCodes.0", "255"),
        ({"temporaryFailCodes": [0]}, "tool.temporaryFailCodes", "succeeded"),
        ({"successCodes": [3], "permanentFailCodes": [3]}, "tool.permanentFailCodes", "3 is among successCodes"),
        ({"temporaryFailCodes": [3], "permanentFailCodes": [3]}, "tool.temporaryFailCodes", "3 is among"),
        ({"requirements": {"InitialWorkDirRequirement": {"listing": ["text"]}}}, "listing.0", "entryname"),
        ({"nonsense": 1}, "tool.nonsense", "not permitted"),
        ({"baseCommand": "a\0b"}, "tool", "NUL"),
    ],
)
def test_what_is_not_served_is_refused_by_name(change: dict[str, Any], field: str | None, reason: str | None) -> None:
    if field is None:
        assert words(TOOL | change, events=1) == ["-n", "1"]
        return
    with pytest.raises(CwlUnfit) as caught:
        translate(TOOL | change, {"events": 1})
    assert str(caught.value.field).endswith(field)
    assert str(reason) in str(caught.value)


@pytest.mark.parametrize(
    "order",
    [{}, {"events": "x"}, {"events": True}, {"events": 10**400}, {"events": 1, "more": 1},
     {"events": 1, "data": {"class": "File", "location": "file:///etc/passwd"}},
     {"events": 1, "data": {"class": "File", "location": "mc:../../x"}}, {"events": 1, "tags": [1]}],
)  # fmt: skip
def test_inputs_that_do_not_fit_are_refused(order: dict[str, Any]) -> None:
    with pytest.raises(CwlUnfit):
        translate(TOOL, order)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
    | st.sampled_from(["File", "$(inputs.a)", "${1}", "a", "int", "stdout", "{number}"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["a", "class", "type", "id", "items", "inputBinding", "glob", "listing", "envDef", "location"]),
        inner, max_size=3,
    ),
    max_leaves=8,
)  # fmt: skip
FIELDS = ["baseCommand", "arguments", "inputs", "outputs", "stdin", "stdout", "requirements", "hints", "id", "x:y"]
ASKED = ["ResourceRequirement", "EnvVarRequirement", "InitialWorkDirRequirement", "ToolTimeLimit", "sancho:Job"]


@settings(max_examples=100)
@given(st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=4), st.dictionaries(st.sampled_from(ASKED), JSON), JSON)
def test_whatever_is_sent_there_is_a_job_or_a_typed_error(
    change: dict[str, Any], asked: dict[str, Any], value: Any
) -> None:
    try:
        read = translate({**TOOL, "requirements": asked, **change}, {"events": value})
    except CwlUnfit:
        return
    assert json.dumps(read.description)
