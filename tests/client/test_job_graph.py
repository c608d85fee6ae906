"""Jobs that wait for others, from the command line."""

from pathlib import Path

from tests.client.conftest import Grid


def test_a_file_of_several_jobs_is_submitted_together(grid: Grid, tmp_path: Path, unique: str) -> None:
    file = tmp_path / "graph.yaml"
    file.write_text("""
name: simulate
command: ["true"]
count: 2
---
name: merge
command: ["true"]
after: [simulate]
""")
    first, last = grid.json("job", "submit", str(file), "--key", f"key-{unique}")["submissions"]
    assert [len(first["job_ids"]), len(last["job_ids"])] == [2, 1]
    (merge,) = last["job_ids"]
    assert grid.json("job", "show", str(merge))["after"]["awaited"] == 2
    assert "2 jobs, 2 awaited" in grid.sancho("job", "show", str(merge)).stdout
    file.write_text('{name: late, command: ["true"]}')
    late = grid.json("job", "submit", str(file), "--after", str(merge), "--after", f"{first['job_ids'][0]}:ended")
    assert grid.json("job", "show", str(late["job_ids"][0]))["after"]["jobs"] == 2
    refused = grid.sancho("job", "submit", str(file), "--after", "999999999")
    assert (refused.exit_code, "Job 999999999 does not exist" in refused.stderr) == (1, True)


def test_a_cwl_tool_is_submitted_with_its_inputs(grid: Grid, tmp_path: Path) -> None:
    tool, order = tmp_path / "tool.cwl", tmp_path / "job.yml"
    tool.write_text(
        "{cwlVersion: v1.2, class: CommandLineTool, baseCommand: echo, outputs: [], hints: {Other: {}},"
        " inputs: {words: {type: 'string[]', inputBinding: {}}}}"
    )
    order.write_text("words: ['a b', '{number}']")
    made = grid.json("job", "submit", str(tool), "--inputs", str(order))
    shown = grid.json("job", "show", str(made["job_ids"][0]))
    assert shown["description"]["command"] == ["echo", "a b", "{brace}number}"]
    assert made["warnings"] == ["Hint Other is not known here, and ignored."]
    tool.write_text("{cwlVersion: v1.2, class: Workflow}")
    refused = grid.sancho("job", "submit", str(tool))
    assert (refused.exit_code, "Only a CommandLineTool is a job" in refused.stderr) == (1, True)
