"""The verbs against a real API and real storages: what they do, what they say, and with which exit code."""

import json
import stat
from pathlib import Path

import pytest

from sancho_client import AsyncClient, Environment, Problem
from sancho_client.calls import data, identity, jobs
from sancho_client.data import sandbox
from sancho_client.models.jobs import JobDescription
from sancho_client.tokens import GivenToken
from tests.client.conftest import PASSWORD, Grid, Variables

JOB = """
name: simulate-{unique}
command: [python3, simulate.py, "{{seed}}"]
files: [simulate.py]
outputs:
  - {{path: out.root, did: "mc:{unique}/{{number}}.root", dataset: "mc:{unique}", rule: {{rse_expression: "tier=1"}}}}
"""


@pytest.fixture
def job_file(tmp_path: Path, unique: str) -> str:
    (tmp_path / "simulate.py").write_text("print('hello')\n")
    path = tmp_path / "job.yaml"
    path.write_text(JOB.format(unique=unique))
    return str(path)


def test_a_login_is_made_used_and_ended(grid: Grid, tmp_path: Path) -> None:
    here: Variables = {"SANCHO_CONFIG_HOME": str(tmp_path), "SANCHO_TOKEN": None, "SANCHO_URL": None}
    words = ["login", "--url", grid.url, "--vo", "belle", "--account", "alice", "--password-stdin"]
    assert grid.sancho("whoami", variables=here).exit_code == 1

    made = grid.sancho(*words, stdin=PASSWORD + "\n", variables=here)
    known = grid.sancho("whoami", "--json", variables=here)
    ended = grid.sancho("logout", variables=here)

    assert (made.exit_code, made.stdout) == (0, "")
    assert "You are logged in" in made.stderr
    assert json.loads(known.stdout)["account"] == "alice"
    assert ended.exit_code == 0
    assert grid.sancho("whoami", variables=here).exit_code == 4
    assert all(stat.S_IMODE(p.stat().st_mode) & 0o077 == 0 for p in (tmp_path / "tokens").iterdir())


def test_a_login_that_the_environment_goes_before_says_what_to_unset(grid: Grid, tmp_path: Path) -> None:
    here: Variables = {"SANCHO_CONFIG_HOME": str(tmp_path), "SANCHO_TOKEN": None, "SANCHO_TOKEN_FILE": "/no/file"}
    words = ["login", "--vo", "belle", "--account", "alice", "--password-stdin"]

    made = grid.sancho(*words, stdin=PASSWORD + "\n", variables=here)
    both = grid.sancho(*words, stdin=PASSWORD + "\n", variables={**here, "SANCHO_TOKEN": "x"})

    assert (made.exit_code, made.stdout) == (0, "")
    assert made.stderr.splitlines()[1:] == [
        "But what the environment says goes before this login; to use it: unset SANCHO_TOKEN_FILE"
    ]
    assert both.stderr.splitlines()[1].endswith(": unset SANCHO_TOKEN SANCHO_TOKEN_FILE")


def test_lists_of_nothing_say_so_on_standard_error(grid: Grid) -> None:
    for words, said in (
        (["job", "list", "--name", "no such name"], "No jobs.\n"),
        (["rule", "list", "--state", "stuck"], "No rules.\n"),
        (["data", "ls", "mc:nothing*"], "No DIDs.\n"),
    ):
        ended = grid.sancho(*words)
        assert (ended.exit_code, ended.stdout, ended.stderr) == (0, "", said)
        assert grid.json(*words) == []


def test_a_wrong_password_says_so(grid: Grid, tmp_path: Path) -> None:
    here: Variables = {"SANCHO_CONFIG_HOME": str(tmp_path), "SANCHO_TOKEN": None}

    ended = grid.sancho("login", "--vo", "belle", "-a", "bob", "--password-stdin", stdin="wrong\n", variables=here)

    assert (ended.exit_code, ended.stdout) == (4, "")
    assert "do not fit together" in ended.stderr
    assert "hint" in ended.stderr


def test_a_forged_token_has_the_exit_code_of_who_may_not(grid: Grid) -> None:
    ended = grid.sancho("job", "list", variables={"SANCHO_TOKEN": "forged"})

    assert (ended.exit_code, ended.stdout) == (4, "")


def test_jobs_are_submitted_listed_shown_and_killed(grid: Grid, job_file: str, unique: str) -> None:
    made = grid.json("job", "submit", job_file, "-n", "3", "-p", "seed=7")
    assert len(made["job_ids"]) == 3
    submission = str(made["submission_id"])

    listed = grid.json("job", "list", "--submission", submission)
    assert [j["job_id"] for j in listed] == made["job_ids"][::-1]
    assert {j["state"] for j in listed} == {"waiting"}

    first = str(made["job_ids"][0])
    shown = grid.json("job", "show", first)
    assert shown["parameters"] == {"number": 1, "seed": 7}
    assert shown["outputs"][0]["did"] == f"mc:{unique}/1.root"
    assert len(shown["description"]["sandbox"]) == 64
    assert f"simulate-{unique}" in grid.sancho("job", "show", first).stdout

    assert grid.json("job", "kill", *map(str, made["job_ids"])) == {"changed": made["job_ids"]}
    assert grid.json("job", "wait", "--submission", submission, code=3) == {"killed": 3}
    assert grid.json("job", "wait", first, code=3) == {"killed": 1}
    assert grid.sancho("job", "wait", first).stdout == "1 job: 1 killed\n"
    assert grid.sancho("job", "wait", "--submission", submission).stdout == "3 jobs: 3 killed\n"
    assert grid.json("job", "summary", "--submission", submission) == [{"state": "killed", "count": 3}]
    assert grid.json("job", "reschedule", first) == {"changed": [made["job_ids"][0]]}
    assert grid.sancho("job", "kill", first).stdout == f"{first} killed\n"


def test_a_sandbox_is_packed_and_uploaded_once(grid: Grid, job_file: str) -> None:
    (job,) = grid.json("job", "submit", job_file, "-p", "seed=1")["job_ids"]

    with grid.client() as client, sandbox.pack(["simulate.py"], Path(job_file).parent) as packed:
        assert client.send(jobs.show(job)).description["sandbox"] == packed.sha256
        assert client.send(jobs.new_sandbox(packed.sha256, packed.size)).url is None


def test_the_same_key_submits_once(grid: Grid, job_file: str, unique: str) -> None:
    words = ["job", "submit", job_file, "-n", "2", "-p", "seed=1", "--key", f"key-{unique}"]

    assert grid.json(*words)["job_ids"] == grid.json(*words)["job_ids"]
    assert f"Submitted before with the key key-{unique}" in grid.sancho(*words).stderr
    other = grid.sancho(*words, "-p", "seed=2")
    assert (other.exit_code, "came with something else before" in other.stderr) == (1, True)


def test_carrying_out_a_submission_twice_submits_once(grid: Grid, unique: str) -> None:
    call = jobs.submit(JobDescription(name=unique, command=["true"]), count=2)

    with grid.client() as client:
        assert client.send(call).job_ids == client.send(call).job_ids


def test_without_a_terminal_a_list_is_lines_of_fields(grid: Grid, job_file: str, unique: str) -> None:
    made = grid.sancho("job", "submit", job_file, "-p", "seed=1")
    (number,) = made.stdout.split()

    (line,) = grid.sancho("job", "list", "--name", f"simulate-{unique}").stdout.splitlines()

    assert line.split("\t")[:3] == [number, f"simulate-{unique}", "waiting"]
    assert "Wait for them with" in made.stderr


def test_a_missing_parameter_names_the_field(grid: Grid, job_file: str) -> None:
    ended = grid.sancho("job", "submit", job_file)

    assert ended.exit_code == 1
    assert "seed" in ended.stderr
    assert "field parameters" in ended.stderr


def test_a_log_that_is_not_there_yet_is_empty(grid: Grid, job_file: str) -> None:
    (job,) = grid.json("job", "submit", job_file, "-p", "seed=1")["job_ids"]

    assert grid.json("job", "logs", str(job))["tail"] == ""
    grid.json("job", "kill", str(job))
    followed = grid.sancho("job", "logs", "-f", str(job))
    assert (followed.exit_code, followed.stdout) == (0, "")
    assert f"Job {job} is killed." in followed.stderr


def test_a_wait_can_be_given_up(grid: Grid, job_file: str) -> None:
    (job,) = grid.json("job", "submit", job_file, "-p", "seed=1")["job_ids"]

    ended = grid.sancho("job", "wait", str(job), "--timeout", "0")

    assert ended.exit_code == 1
    assert "not over yet" in ended.stderr


def test_a_job_without_results_has_nothing_to_fetch(grid: Grid, job_file: str, tmp_path: Path) -> None:
    (job,) = grid.json("job", "submit", job_file, "-p", "seed=1")["job_ids"]

    ended = grid.sancho("job", "output", str(job), "-o", str(tmp_path / "out"))

    assert ended.exit_code == 1
    assert "nothing to fetch" in ended.stderr


def test_another_vo_sees_no_job_of_ours(grid: Grid, job_file: str) -> None:
    (job,) = grid.json("job", "submit", job_file, "-p", "seed=1")["job_ids"]

    ended = grid.sancho("job", "show", str(job), vo="gridpp")

    assert ended.exit_code == 1
    assert "does not exist" in ended.stderr


def test_folders_go_up_and_datasets_come_down(grid: Grid, tmp_path: Path, unique: str) -> None:
    folder = tmp_path / unique
    (folder / "deep").mkdir(parents=True)
    (folder / "a.txt").write_text("a")
    (folder / "deep" / "b.txt").write_text("bb")
    dataset = f"mc:{unique}"
    words = ["data", "put", "-r", str(folder), "--scope", "mc", "--dataset", dataset, "--on", "A-DISK"]

    put = grid.json(*words, account="root")
    assert [(p["did"], p["size"], p["rse"]) for p in put] == [
        (f"mc:{unique}/a.txt", 1, "A-DISK"),
        (f"mc:{unique}/deep/b.txt", 2, "A-DISK"),
    ]
    assert [p["rse"] for p in grid.json(*words, account="root")] == [None, None]

    got = grid.sancho("data", "get", dataset, "-o", str(tmp_path / "down"))
    assert sorted(got.stdout.split()) == [str(tmp_path / "down" / unique / n) for n in ("a.txt", "deep/b.txt")]
    assert (tmp_path / "down" / unique / "deep" / "b.txt").read_text() == "bb"

    assert [d["did"] for d in grid.json("data", "ls", dataset)] == [p["did"] for p in put]
    assert [d["did"] for d in grid.json("data", "ls", f"mc:{unique}/*")] == [p["did"] for p in put]
    assert dataset in [d["did"] for d in grid.json("data", "ls", "mc", "--kind", "dataset")]
    assert "mc" in [s["name"] for s in grid.json("data", "ls")]

    info = grid.json("data", "info", dataset)
    assert (info["did"]["files"], info["did"]["total_size"]) == (2, 3)
    assert [r["rse_expression"] for r in info["rules"]] == ["A-DISK"]
    assert [f["replicas"] for f in info["files"]] == [[{"rse": "A-DISK", "state": "available", "path": None}]] * 2


def test_a_file_that_lies_on_a_storage_is_registered_and_read(grid: Grid, tmp_path: Path, unique: str) -> None:
    there = grid.storages["A-DISK"] / "belle" / "old" / unique
    there.mkdir(parents=True)
    (there / "a.txt").write_text("a")
    path, did = f"/belle/old/{unique}/a.txt", f"mc:{unique}/a.txt"
    words = ["data", "register", did, "1", "--rse", "A-DISK", "--adler32", "00620062"]

    assert grid.json(*words, "--path", path, account="root") == {"files": 1, "size": 1}

    assert grid.sancho("data", "get", did, "-o", str(tmp_path / "down")).exit_code == 0
    assert (tmp_path / "down" / unique / "a.txt").read_text() == "a"
    (file,) = grid.json("data", "info", did)["files"]
    assert file["replicas"] == [{"rse": "A-DISK", "state": "available", "path": path}]
    stolen = grid.sancho(
        "data", "register", f"{did}.2", "1", "--rse", "A-DISK", "--path", "/gridpp/x/y", account="root"
    )
    assert stolen.exit_code != 0


def test_rules_are_added_shown_and_withdrawn(grid: Grid, tmp_path: Path, unique: str) -> None:
    (tmp_path / "a.txt").write_text(unique)
    did = f"mc:{unique}"
    grid.json("data", "put", str(tmp_path / "a.txt"), "--did", did, "--on", "A-DISK", account="root")

    assert grid.json("rule", "add", did, "tier=2", "--dry-run", account="root")["verdict"] == "ok"
    rule = grid.json("rule", "add", did, "tier=2", "--lifetime", "1 h", "--comment", "for a test", account="root")
    shown = grid.json("rule", "show", str(rule["rule_id"]), "--locks")

    assert (rule["rse_expression"], rule["copies"], rule["state"]) == ("tier=2", 1, "replicating")
    assert [(k["rse"], k["state"]) for k in shown["locks"]] == [("B-DISK", "replicating")]
    number = str(rule["rule_id"])
    changed = grid.json("rule", "change", number, "--lifetime", "30 d", "--comment", "longer", account="root")
    assert (changed["expires_at"] > rule["expires_at"], changed["comment"]) == (True, "longer")
    kept = grid.json("rule", "change", number, "--for-ever", account="root")
    assert (kept["expires_at"], kept["comment"]) == (None, "longer")
    assert grid.sancho("rule", "change", number, "--for-ever", "--lifetime", "1 d", account="root").exit_code == 2
    waiting = grid.json("rule", "transfers", "--rse", "B-DISK")
    assert did in [t["did"] for t in waiting]
    assert grid.sancho("rule", "rm", str(rule["rule_id"]), "-y", account="root").exit_code == 0
    assert [r["rse_expression"] for r in grid.json("rule", "list", "--did", did)] == ["A-DISK"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["rule", "add", "mc:nothing", "tier=1"], "mc:nothing"),
        (["data", "get", "mc:nothing"], "mc:nothing"),
        (["rse", "resolve", "tier=99"], "tier=99"),
        (["rse", "resolve", "tier=&"], "field expression"),
        (["rse", "show", "NOWHERE"], "NOWHERE"),
        (["quota", "show", "none"], "sancho quota list"),
    ],
)
def test_what_does_not_exist_is_named(grid: Grid, words: list[str], said: str) -> None:
    ended = grid.sancho(*words)

    assert (ended.exit_code, ended.stdout) == (1, "")
    assert said in ended.stderr
    assert "hint" in ended.stderr or "field" in ended.stderr


@pytest.mark.parametrize(
    ("noun", "name"),
    [("account", "alice"), ("group", "users"), ("vo", "belle"), ("site", "SITE-A"), ("ce", "A-CE"), ("rse", "A-DISK")],
)
def test_things_are_listed_and_shown(grid: Grid, noun: str, name: str) -> None:
    assert name in [one["name"] for one in grid.json(noun, "list")]
    assert grid.json(noun, "show", name)["name"] == name
    assert name in grid.sancho(noun, "list").stdout.split()


def test_pilots_are_listed(grid: Grid) -> None:
    assert grid.json("pilot", "list", account="root") == []


def test_a_thing_is_added_by_one_document(grid: Grid, unique: str) -> None:
    words = ["account", "add", f"a{unique}", f"email={unique}@example.org", "groups=[users]"]

    planned = grid.json(*words, "--dry-run", account="root")
    assert planned["version"] is None
    made = grid.json(*words, account="root")
    again = grid.json(*words, account="root")

    assert [(c["kind"], c["name"], c["action"]) for c in made["changes"]] == [("Account", f"a{unique}", "created")]
    assert again["changes"] == []
    assert grid.json("account", "show", f"a{unique}", account="root")["groups"] == ["users"]


def test_who_may_not_configure_is_told(grid: Grid) -> None:
    ended = grid.sancho("account", "add", "mallory", "groups=[admins]")

    assert ended.exit_code == 4
    assert "configuration:apply" in ended.stderr


def test_documents_are_applied_shown_as_a_diff_and_rolled_back(grid: Grid, tmp_path: Path, unique: str) -> None:
    (tmp_path / "password").write_text(f"secret {unique}")
    path = tmp_path / "grid.yaml"
    account = "kind: Account\nvo: belle\nname: c{0}\nspec: {{email: {1}@example.org, password_file: password}}\n"
    path.write_text(account.format(unique, "old"))
    first = grid.json("apply", "-f", str(path), "--comment", "a test", account="root")

    with grid.client() as client:
        assert client.send(identity.login("belle", f"c{unique}", f"secret {unique}")).access_token

    path.write_text(account.format(unique, "new"))
    diff = grid.sancho("apply", "-f", str(tmp_path), "--dry-run", account="root")
    assert f"~ Account c{unique} of belle" in diff.stdout
    assert "email: old@example.org → new@example.org" in diff.stdout
    assert "Nothing was done" in diff.stderr

    assert grid.sancho("apply", "-f", str(path), account="root").exit_code == 0
    versions = grid.json("config", "versions", account="root")
    assert versions[1]["version"] == first["version"]
    assert versions[1]["comment"] == "a test"
    back = grid.json("config", "rollback", str(first["version"]), "--yes", account="root")
    assert [c["after"]["email"] for c in back["changes"]] == ["old@example.org"]
    assert f"c{unique}" in [d["name"] for d in grid.json("config", "show", "--kind", "Account", account="root")]
    assert "email" in grid.sancho("config", "show", str(first["version"]), account="root").stdout


def test_a_wrong_document_is_named_by_field(grid: Grid, tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("kind: Account\nname: x\nspec: {colour: red}\n")

    ended = grid.sancho("apply", "-f", str(path), account="root")

    assert ended.exit_code == 1
    assert "documents.0.spec.colour" in ended.stderr


def test_a_password_is_changed(grid: Grid, unique: str) -> None:
    grid.json("account", "add", f"p{unique}", "groups=[users]", account="root")

    changed = grid.sancho(
        "account", "password", f"p{unique}", "--password-stdin", stdin="new passphrase\n", account="root"
    )

    assert changed.exit_code == 0, changed.output
    with grid.client() as client:
        assert client.send(identity.login("belle", f"p{unique}", "new passphrase")).access_token


def test_usage_counts_what_is_kept(grid: Grid, tmp_path: Path, unique: str) -> None:
    (tmp_path / "a.txt").write_text(unique)
    grid.json("data", "put", str(tmp_path / "a.txt"), "--did", f"mc:{unique}", "--on", "A-DISK", account="root")

    (used,) = [u for u in grid.json("data", "usage", "--account", "root") if u["rse"] == "A-DISK"]

    assert used["size"] >= 8
    with grid.client() as client:
        assert client.send(data.did(f"mc:{unique}")).size == 8


async def test_the_async_client_carries_out_the_same_calls(grid: Grid, unique: str) -> None:
    environment = Environment(config_home=grid.folder / "nowhere")
    async with AsyncClient(grid.url, tokens=GivenToken(grid.token("root")), environment=environment) as client:
        await client.send(data.create(f"mc:{unique}", "dataset"))

        assert (await client.send(data.did(f"mc:{unique}"))).files == 0
        assert unique in [d.did.partition(":")[2] async for d in client.pages(data.list_dids("mc", prefix=unique))]
        assert [f async for f in client.lines(data.replicas(f"mc:{unique}"))] == []
        with pytest.raises(Problem, match="does not exist"):
            await client.send(jobs.show(10**12))


def test_things_that_only_ones_own_vo_has_take_no_other(grid: Grid) -> None:
    for noun in ("quota", "site", "rse"):
        ended = grid.sancho(noun, "list", "--of", "belle", vo="gridpp", account="root")
        assert (ended.exit_code, ended.stdout) == (2, "")
    assert grid.sancho("account", "list", "--of", "belle", vo="gridpp", account="root").exit_code != 0


def test_the_help_of_settings_shows_all_it_says(grid: Grid) -> None:
    assert "values as in YAML" in " ".join(grid.sancho("account", "add", "--help").stdout.replace("│", "").split())
