"""What users write: job files, parameters, documents, durations."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from sancho_client.cli import documents, job_files
from sancho_client.cli.following import Seen
from sancho_client.cli.output import duration, size
from sancho_client.data.download import place
from sancho_client.errors import BadInput
from sancho_client.models.base import seconds
from sancho_client.models.configuration import Applied, DocumentChange
from sancho_client.models.jobs import Log, RuleWish
from sancho_client.names import parse_path

JOB = """
name: simulate
command: [python3, simulate.py, "{seed}"]
files: [simulate.py]
outputs:
  - {path: out.root, did: "mc:run1/{number}.root", dataset: "mc:run1", rule: {copies: 2, rse_expression: "tier=1"}}
requirements: {memory: 2 GB, walltime: 1 h 30 min}
"""


def job(tmp_path: Path, more: str = "") -> Path:
    path = tmp_path / "job.yaml"
    path.write_text(JOB + more)
    return path


def test_a_job_file_may_say_paths_for_dids(tmp_path: Path) -> None:
    path = tmp_path / "job.yaml"
    path.write_text(
        JOB.replace('"mc:run1/{number}.root"', "'/belle/mc/run1/{number}.root'").replace('"mc:run1"', "/belle/mc/run1")
        + "inputs: [/belle/mc/raw/1, 'mc:raw', 'gridpp/mc:shared']\n"
    )
    read, _ = job_files.read(path, [], None)

    sent = read.with_sandbox(None, lambda name: parse_path(name).did if name.startswith("/") else name)

    assert sent.inputs == ["mc:raw/1", "mc:raw", "gridpp/mc:shared"]
    assert [(one.did, one.dataset) for one in sent.outputs] == [("mc:run1/{number}.root", "mc:run1")]
    assert "max_attempts" not in sent.model_dump(exclude_unset=True)


def test_a_job_file_becomes_a_description_without_what_only_we_need(tmp_path: Path) -> None:
    read, rows = job_files.read(job(tmp_path), [], None)

    sent = read.with_sandbox("ab" * 32).model_dump(exclude_unset=True)

    assert rows is None
    assert sent["sandbox"] == "ab" * 32
    assert sent["requirements"] == {"memory": "2 GB", "walltime": 5400.0}
    assert not {"files", "parameters", "count", "group", "priority"} & set(sent)


def test_a_count_makes_as_many_rows(tmp_path: Path) -> None:
    assert job_files.read(job(tmp_path), [], 3)[1] == 3
    assert job_files.read(job(tmp_path, "count: 2\n"), [], None)[1] == 2


def test_parameters_of_the_file_and_of_the_command_line_go_together(tmp_path: Path) -> None:
    path = job(tmp_path, "parameters: [{seed: 1}, {seed: 2}]\n")

    assert job_files.read(path, ["energy=10.5"], None)[1] == [{"seed": 1, "energy": 10.5}, {"seed": 2, "energy": 10.5}]


def test_a_name_that_is_given_several_times_makes_a_job_for_each_value() -> None:
    rows = job_files.combine(["seed=1", "seed=2", "tune=a", "tune=b", "beam=pp"])

    assert rows == [
        {"seed": 1, "tune": "a", "beam": "pp"},
        {"seed": 1, "tune": "b", "beam": "pp"},
        {"seed": 2, "tune": "a", "beam": "pp"},
        {"seed": 2, "tune": "b", "beam": "pp"},
    ]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7", 7),
        ("0.5", 0.5),
        ("true", True),
        ("[a, b]", ["a", "b"]),
        ("tier=1&country=UK", "tier=1&country=UK"),
        ("2026-11-22", "2026-11-22"),
        ("", ""),
        ("@odd", "@odd"),
    ],
)
def test_values_of_the_command_line_are_read_as_people_mean_them(text: str, value: object) -> None:
    assert job_files.scalar(text) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: a\ncommand: [x]\nsite: A\n", "site: Extra inputs are not permitted"),
        ("name: a\n", "command: Field required"),
        ("name: [", "is not YAML"),
        ("- 1\n", "description"),
        ("name: a\ncommand: [x]\nrequirements: {walltime: soon}\n", "not a duration"),
    ],
)
def test_a_job_file_that_is_wrong_names_the_field(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "job.yaml"
    path.write_text(text)

    with pytest.raises(BadInput, match=message):
        job_files.read(path, [], None)


def test_a_parameter_without_a_value_is_refused() -> None:
    with pytest.raises(BadInput, match="NAME=VALUE"):
        job_files.combine(["seed"])


@pytest.mark.parametrize(
    ("text", "value"), [("90", "90"), ("90 min", 5400), ("1 h 30 min", 5400), ("30 d", 2592000), ("1.5h", 5400), (7, 7)]
)
def test_durations_are_seconds(text: object, value: object) -> None:
    assert seconds(text) == value


@pytest.mark.parametrize("text", ["soon", "5 parsecs", "h 3", "1 h nonsense"])
def test_a_duration_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        RuleWish.model_validate({"rse_expression": "a", "lifetime": text})


def test_documents_are_read_from_files_and_folders_in_order(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text("kind: Site\nname: B\n---\nkind: Site\nname: C\n---\n")
    (tmp_path / "a.yml").write_text("kind: VO\nname: belle\n")
    (tmp_path / "notes.txt").write_text("not ours")

    assert [d.document.name for d in documents.read([tmp_path])] == ["belle", "B", "C"]


def test_a_document_that_is_wrong_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("kind: Site\nname: A\n---\nkind: Site\nspecs: {}\n")

    with pytest.raises(BadInput, match=r"a\.yaml, document 2: "):
        documents.read([tmp_path / "a.yaml"])


def test_a_password_file_never_leaves_with_its_document(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("correct horse\n")
    (tmp_path / "a.yaml").write_text("kind: Account\nname: alice\nvo: belle\nspec: {password_file: secret}\n")

    (read,) = documents.read([tmp_path / "a.yaml"])

    assert read.password == "correct horse"
    assert read.document.spec == {}
    change = DocumentChange(kind="Account", name="alice", vo="belle", action="created")
    assert list(documents.new_passwords([read], Applied(version=1, changes=(change,)))) == [(change, "correct horse")]
    later = Applied(version=2, changes=(change.model_copy(update={"action": "changed"}),))
    assert list(documents.new_passwords([read], later)) == []


def test_settings_become_a_document() -> None:
    made = documents.from_settings("RSE", "C-DISK", None, ["site=SITE-C", "attributes.tier=2", "attributes.country=UK"])

    assert made.spec == {"site": "SITE-C", "attributes": {"tier": 2, "country": "UK"}}
    with pytest.raises(BadInput, match="has a value already"):
        documents.from_settings("RSE", "C-DISK", None, ["a=1", "a.b=2"])


def test_a_change_shows_only_what_differs() -> None:
    change = DocumentChange(
        kind="RSE",
        name="A",
        action="changed",
        before={"site": "S", "attributes": {"tier": 1, "old": True}},
        after={"site": "S", "attributes": {"tier": 2, "tape": False}},
    )

    assert documents.differences(change) == [
        ("attributes.old", "yes", None),
        ("attributes.tape", None, "no"),
        ("attributes.tier", "1", "2"),
    ]


def test_a_log_is_followed_by_its_size() -> None:
    seen = Seen()

    def add(tail: str, size: int, attempt: int = 1) -> str:
        return seen.add(Log(attempt=attempt, tail=tail, log_size=size, state="running"))

    assert add("one\n", 4) == "one\n"
    assert add("one\n", 4) == ""
    assert add("one\ntwo ü\n", 11) == "two ü\n"
    assert add("end\n", 100) == "… 85 bytes of output are not kept …\nend\n"
    assert add("again\n", 6, attempt=2) == "again\n"


@pytest.mark.parametrize("name", ["../a", "/a", "a/../b", "", "a\0b"])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput):
        place(tmp_path, name)


def test_numbers_are_shown_for_people() -> None:
    assert [size(n) for n in (0, 999, 1500, 2_000_000, 10**15)] == ["0 B", "999 B", "1.5 kB", "2 MB", "1 PB"]
    assert [duration(n) for n in (3.21, 75, 3660, 90_000, 200_000)] == [
        "3.2 s", "1 min 15 s", "1 h 01 min", "25 h 00 min", "2 d 7 h",
    ]  # fmt: skip
