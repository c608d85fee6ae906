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
from sancho.jobs.model import fill

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


def test_inputs_become_words_in_the_order_of_their_positions() -> None:
    data = {"class": "File", "location": "sancho://mc:run1/f.root"}
    assert command(TOOL, events=5, verbose=True, tags=["a b", "$(x)"], data=data) == [
        "simulate", "run", "-v", "-n", "5", "-t", "a b,$(x)", "--in=../inputs/mc/run1/f.root",
    ]  # fmt: skip
    assert command(TOOL, events=5) == ["simulate", "run", "-n", "5"]
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
        ({"successCodes": [1]}, "tool.successCodes.0", "0"),
        ({"nonsense": 1}, "tool.nonsense", "not permitted"),
        ({"baseCommand": "a\0b"}, "tool", "NUL"),
    ],
)
def test_what_is_not_served_is_refused_by_name(change: dict[str, Any], field: str | None, reason: str | None) -> None:
    if field is None:
        assert command(TOOL | change, events=1) == ["-n", "1"]
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
