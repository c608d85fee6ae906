"""JDL read, spread out over its parameters, and made descriptions of ours: by examples, and by whatever comes."""

from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sancho.compat.diracx.errors import JdlFault, JdlMalformed, JdlMixed, TooDifferent, TooManyJobs
from sancho.compat.diracx.jdl_attributes import IGNORED, SERVED
from sancho.compat.diracx.jdl_grammar import DEEPEST, LONGEST, MOST_PARTS, Value, parse, render
from sancho.compat.diracx.jdl_translate import LOCAL, MOST_DESCRIPTIONS, Surroundings, Wanted, read
from sancho.jobs.model import MAX_ROWS, Description, Output, Requirement, RuleWish, fill

AROUND = Surroundings(
    vo_names=("belle", "bel"), account="alice", group="users", groups=("users",), benchmark=10.0,
    folder="jobs/2026_11/new",
)  # fmt: skip
RUN = 'Executable = "/bin/run";'
HEX = "0123456789abcdef" * 4
SANDBOX = f"SB:SandboxSE|/S3/bucket/belle/users/alice/sha256:{HEX}.tar.zst"

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)
names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.]{0,10}", fullmatch=True)


def records(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.dictionaries(names, values, max_size=4).filter(lambda said: len({n.lower() for n in said}) == len(said))


values: st.SearchStrategy[Value] = st.recursive(
    texts, lambda inner: st.lists(inner, max_size=4) | records(inner), max_leaves=10
)


def short(said: object) -> str:
    return repr(said)[:30]


def wanted(*jdls: str) -> list[Wanted]:
    return read(jdls, AROUND)[0]


def described(jdl: str) -> Description:
    (one,) = wanted(f"{RUN}{jdl}")
    return one.description


def commands(*jdls: str) -> list[list[str]]:
    """The command of each job, as its pilot is told it."""
    found = {
        place: [fill(word, {"job_id": 77, **row}) for word in one.description.command]
        for one in wanted(*jdls)
        for place, row in zip(one.places, one.rows, strict=True)
    }
    return [found[place] for place in sorted(found)]


def refusal(*jdls: str) -> str:
    with pytest.raises((JdlFault, JdlMixed, TooManyJobs, TooDifferent)) as refused:
        read(jdls, AROUND)
    return str(refused.value)


# ------------------------------------------------------------------------------------------------- grammar


@given(records(values))
def test_what_is_written_is_read_back(said: dict[str, Value]) -> None:
    assert parse(render(said)) == said


@given(st.text() | st.text('[]{};,="\\#/* \nab1%s()', max_size=60))
def test_no_text_raises_anything_but_where_it_cannot_be_read(text: str) -> None:
    try:
        parse(text)
    except JdlMalformed as e:
        assert 1 <= int(str(e.facts["line"])) <= text.count("\n") + 1  # noqa: PT017 - it need not be raised


@given(st.lists(st.sampled_from([
    RUN, 'Arguments = "%s %n %(X)s %j {s}";', "Parameters = 3;", "Parameters = {1, {2}, a};", "Parameters.X = {1, 2};",
    "ParameterStart = 1e9;", "ParameterFactor = 1000000;", 'InputData = {"LFN:/belle/mc/%s", mc:%n};',
    'OutputData = {"%s.root", "LFN:/belle/mc/%n"};', 'OutputPath = "%s/%n";', "Environment = [A = %s];",
    'Environment = "A=%n;B=%00";', "CPUTime = 1e300;", "Site = {{a}, b};", "MinRAM = -1;", "Priority = %n;",
    'InputSandbox = {"a.sh"};', "Tags = [a = 1];", 'Executable = "";', "NumberOfProcessors = 2.5;",
]), max_size=6), st.text(max_size=20))  # fmt: skip
def test_no_jdl_raises_anything_but_what_is_wrong_with_it(parts: list[str], more: str) -> None:
    try:
        read(["".join([*parts, more])], AROUND)
    except (JdlFault, TooManyJobs, TooDifferent) as e:
        assert str(e)  # noqa: PT017 - it need not be raised


def test_what_users_write_is_read() -> None:
    assert parse(r"""
        // a job
        Executable = "/bin/sh";   # of the node
        arguments = "-c \"echo 'a;b' \\ \d\"";
        /* lists,
           and bare words */
        InputData = {"LFN:/a//b", LFN:/c, {d},};
        CPUTime = 86400; Rate = 1.50; WholeNode = true; Words = two words;
        Empty = {}; ; Record = [A = 1; b = {x}]
    """) == {
        "Executable": "/bin/sh", "arguments": r"""-c "echo 'a;b' \ \d""" + '"',
        "InputData": ["LFN:/a//b", "LFN:/c", ["d"]],
        "CPUTime": "86400", "Rate": "1.50", "WholeNode": "true", "Words": "two words", "Empty": [],
        "Record": {"A": "1", "b": ["x"]},
    }  # fmt: skip
    assert parse("") == parse(" [ ] ") == parse("[;;]") == {}


@pytest.mark.parametrize(("jdl", "said"), [
    ('[ a = 1;\n  b = "x\n', 'line 2, column 7: [ a = 1; b = ▶"◀x what begins there is never closed'),
    ("a = 1 b = 2", "line 1, column 9: a = 1 b ▶=◀ 2 there should be ; or a value or the end"),
    ("a = 1\nb = 2;", "line 2, column 3: a = 1 b ▶=◀ 2; there should be ; or a value or the end"),
    ("a = x\nb=2;", "line 2, column 1: a = x ▶b◀=2; there should be ; before it"),
    ("A = 1; a = 2", "line 1, column 8: A = 1; ▶a◀ = 2 stands there a second time"),
    ("[a = 1", "there should be ]"),
    ("a = {1, , 2}", "line 1, column 9"),
    ("a = ;", "line 1, column 5"),
    ("3 = a", "line 1, column 1"),
    ("a /* never closed", "line 1, column 3"),
    ("a = x{1}", "line 1, column 6"),
    ("[a = 1] b", "there should be the end"),
    ("\0", "line 1, column 1"),
    (f"a = {'{' * 100_000}", f"deeper than {DEEPEST} brackets"),
    (f"a = {'[a=' * 1000}", f"deeper than {DEEPEST} brackets"),
    ("a;" * (MOST_PARTS + 1), f"more than {MOST_PARTS} names, values and signs"),
    (";" * LONGEST, f"more than {MOST_PARTS} names, values and signs"),
    ("a" * (LONGEST + 1), f"more than {LONGEST} characters"),
    ('"' + '\\"' * 200_000, "column 1:"),
], ids=short)  # fmt: skip
def test_what_cannot_be_read_is_said_with_line_and_column(jdl: str, said: str) -> None:
    assert said in refusal(jdl)
    assert refusal(RUN, RUN + ";", jdl).startswith("JDL 3: JDL syntax error") or len(jdl) >= LONGEST


# -------------------------------------------------------------------------------------- parametric forms


@pytest.mark.parametrize(("jdl", "told"), [
    ('Arguments = "%s %n"; Parameters = 3; ParameterStart = 10; ParameterStep = 2', ["10 0", "12 1", "14 2"]),
    ('Arguments = "%s"; Parameters = "3"', ["1", "1", "1"]),
    ('Arguments = "%s"; Parameters = 3; ParameterStart = 10; ParameterStep = 2; ParameterFactor = 1.5',
     ["10.0", "17.0", "27.5"]),
    ('Arguments = "%s-%n.root"; Parameters = {"a", 007}', ["a-0.root", "007-1.root"]),
    ('Arguments = "%(A)s %(B)s %n"; Parameters.A = {"x", "y"}; Parameters.B = {1, 2}', ["x 1 0", "y 2 1"]),
    ('Arguments = "%(a)s %(B)s"; Parameters = 2; Parameters.A = {x, y}; ParameterStart.B = 5; ParameterFactor.B = 2',
     ["x 5", "y 10"]),
    ('Arguments = "%s %n %(A)s %j"', ["%s %n %(A)s 77"]),
    ('Arguments = "%(C)s %s 100% %d %%s"; Parameters = {a}', ["%(C)s a 100% %d %a"]),
    ("""Arguments = "%s"; Parameters = {"a b", "'c d' e"}""", ["a b", "c d|e"]),
    ('Arguments = "%s|%n"; Parameters = {"%n", "{n}", "{job_id}"}', ["%n|0", "{n}|1", "{job_id}|2"]),
    ('Arguments = "{print} {s} {brace} {{n}} {%s}"; Parameters = {a}', ["{print} {s} {brace} {{n}} {a}"]),
    ('Arguments = "%s"; Parameters = {"%j", "a %j"}', ["77", "a 77"]),
    ('Arguments = "{n} {job_id} {number}"', ["{n} {job_id} {number}"]),
], ids=short)  # fmt: skip
def test_parameters_stand_where_their_placeholders_stood(jdl: str, told: list[str]) -> None:
    made = [command[1:] for command in commands(RUN + jdl)]

    assert made == [[word for part in one.split("|") for word in ([part] if "|" in one else part.split())]
                    for one in told] or made == [one.split() for one in told]  # fmt: skip


@given(st.lists(texts.filter(str.strip), min_size=1, max_size=5))
def test_a_value_comes_as_the_words_that_a_shell_would_make_of_it(said: list[str]) -> None:
    quoted = render({"Executable": "/bin/run", "Arguments": "'<%s>'", "Parameters": list(said)})
    if not any("'" in one for one in said):
        assert commands(quoted) == [["/bin/run", f"<{one.replace('%j', '77')}>"] for one in said]


@pytest.mark.parametrize(("jdl", "said"), [
    ("Parameters = 10001", f"more than {MAX_ROWS} jobs at once; these are 10001"),
    ("Parameters = 999999999999999999", f"more than {MAX_ROWS} jobs"),
    ("Parameters = 0", "Parameters makes no job"),
    ("Parameters = {}", "Parameters makes no job"),
    ("Parameters = -2", "Parameters makes no job"),
    ("Parameters = 1.5", "Parameters is neither a whole number nor a list"),
    ("Parameters = many", "Parameters is not a number"),
    ("Parameters = [a = 1]", "Parameters is neither a number nor a list"),
    ("Parameters = {1, 2}; Parameters.A = {1}", "Parameters.a has 1 values where another has 2"),
    ("Parameters = 3; Parameters.A = 2", "Parameters.a has 2 values where another has 3"),
    ("Parameters = 3; ParameterStart = x", "ParameterStart is not a number"),
    ("Parameters = 3; ParameterStart = 1e999", "ParameterStart is not a number"),
    ("Parameters = 99; ParameterFactor = 1e99", "ParameterFactor makes values that are too large"),
    ("Parameters = 99; ParameterFactor = 99999999", "ParameterFactor makes values that are too large"),
    ("Parameters.a.b = {1}", "Parameters.a.b cannot be the name of a parameter"),
    ("Parameters = 10000;" + "".join(f"ParameterStart.X{n} = 1;" for n in range(50)), "more than 100000 values"),
    (f"Parameters = {{{'a' * 5000}}}", "a value of more than 4096 characters"),
    (f'Parameters = 1000; InputData = {{{",".join(["mc:%n"] * 1000)}}}', f"more than {MOST_DESCRIPTIONS} different"),
    ("Parameters = 501; CPUTime = 1%n", f"more than {MOST_DESCRIPTIONS} different descriptions"),
    (f"""Parameters = {{{",".join(f'"{n} {"a" * 4000}"' for n in range(90))}}}; Arguments = "{"%s" * 24}";
         Environment = {{{",".join(f"A{n}={'b' * 4000}" for n in range(40))}}}""",
     "more than 16000000 characters together"),
    (f'Parameters = {{"{"a b" * 1000}"}}; Arguments = "{"%s" * 40_000}"', "more than 100000 characters"),
], ids=short)  # fmt: skip
def test_parameters_that_make_no_sense_or_too_much_are_refused(jdl: str, said: str) -> None:
    assert said in refusal(RUN + jdl)


def test_jobs_share_a_description_unless_parameters_change_what_that_cannot_fill_in() -> None:
    (one,) = wanted(
        RUN + 'Parameters = 10000; Arguments = "%n"; JobName = "n_%n"; JobGroup = "%n"; Environment = "N=%n"'
    )
    assert (len(one.rows), one.places, one.description.name) == (10_000, list(range(10_000)), "n_%n")

    two, three = wanted(RUN + 'Parameters = {"mc:a", {"mc:b", "mc:c"}, "mc:a"}; InputData = "%s"; Arguments = "%n"')
    assert (two.description.inputs, two.places, [row["n"] for row in two.rows]) == (("mc:a",), [0, 2], [0, 2])
    assert (three.description.inputs, three.places) == (("mc:b", "mc:c"), [1])


def test_jobs_that_are_alike_have_folders_of_their_own_for_outputs() -> None:
    ((one,), _) = read(['Executable = a; OutputData = "x{n}"'] * 3, AROUND)
    assert [fill(one.description.outputs[0].did, row) for row in one.rows] == [
        f"user.alice:jobs/2026_11/new/{n}/x{{n}}" for n in range(3)
    ]


def test_plain_jdls_that_are_alike_are_submitted_together() -> None:
    first, second = wanted('Executable = "a"', 'Executable = "b"', '[Executable = "a";]')

    assert (first.places, second.places, read(["Executable = a"] * 2, AROUND)[1]) == ([0, 2], [1], False)
    assert len(wanted(*[f'Executable = "a{n}"' for n in range(MOST_DESCRIPTIONS)])) == MOST_DESCRIPTIONS
    assert "different" in refusal(*[f'Executable = "a{n}"' for n in range(MOST_DESCRIPTIONS + 1)])
    assert refusal(*["Executable = a"] * (MAX_ROWS + 1)).startswith(f"You cannot submit more than {MAX_ROWS}")
    assert refusal(RUN, RUN + "Parameters = 2") == "You cannot submit parametric jobs in a bulk fashion"
    assert refusal(*[f'Executable = "a"; X{n} = "{"a" * 2_000_000}"' for n in range(3)]).startswith(
        "The JDLs have more"
    )
    several = [f"Executable = a; X = {{{n}{',a' * 10_000}}}" for n in range(6)]
    assert refusal(*several).startswith(f"The JDLs have more than {MOST_PARTS} names, values and signs together")
    assert refusal() == "JDL syntax error: there is no JDL."


# --------------------------------------------------------------------------------------------- attributes


def output(path: str, did: str, rses: str = "*") -> Output:
    return Output(path=path, did=did, rule=RuleWish(rse_expression=rses))


NEW = "user.alice:jobs/2026_11/new/{n}"
TABLE: list[tuple[str, dict[str, Any]]] = [
    ("", {"name": "run", "command": ("/bin/run",), "group": "users", "requirements": Requirement(), "priority": 0}),
    ('Arguments = "-a \'b c\' d\\"e f\\""', {"command": ("/bin/run", "-a", "b c", "de f")}),
    ('Arguments = {"a", "b"}', {"command": ("/bin/run", "a", "b")}),
    ('JobName = "simulate %n"', {"name": "simulate %n"}),
    ('StdOutput = "o"; StdError = "e"; OutputSandbox = {"o", "e", "*.log", "a.txt"}',
     {"output_sandbox": ("*.log", "a.txt")}),
    ('OutputSandbox = "std.out,std.err,x"', {"output_sandbox": ("x",)}),
    (f'InputSandbox = {{"{SANDBOX}", "LFN:/belle/mc/a"}}', {"sandbox": HEX, "inputs": ("mc:a",)}),
    ('InputData = {"LFN:/belle/user/a/alice/f", "/bel/mc/b", "lfn:/gridpp/mc/c", "mc:run7", "/bel/mc/b"}',
     {"inputs": ("user:a/alice/f", "mc:b", "gridpp/mc:c", "mc:run7")}),
    ('InputData = "LFN:/belle/mc/a,LFN:/belle/mc/b"', {"inputs": ("mc:a", "mc:b")}),
    ('OutputData = {"out/a.root", "LFN:/belle/mc/b.root"}',
     {"outputs": (output("out/a.root", f"{NEW}/a.root"), output("b.root", "mc:b.root"))}),
    ('OutputData = a; OutputPath = "/belle/mc/run/7/"', {"outputs": (output("a", "mc:run/7/a"),)}),
    ('OutputData = a; OutputPath = "/bel/mc"', {"outputs": (output("a", "mc:a"),)}),
    ('OutputData = a; OutputPath = "run7"', {"outputs": (output("a", "user.alice:run7/a"),)}),
    ('OutputData = a; OutputSE = {"A-DISK", B-DISK}', {"outputs": (output("a", f"{NEW}/a", "rse=A-DISK|rse=B-DISK"),)}),
    ("CPUTime = 86400", {"requirements": Requirement(walltime=timedelta(seconds=8640))}),
    ('CPUTime = "1"', {"requirements": Requirement(walltime=timedelta(seconds=1))}),
    ('Site = "A;B"; BannedSites = {"C"}', {"requirements": Requirement(sites=("A", "B"), banned_sites=("C",))}),
    ("Site = ANY; Platform = any", {"requirements": Requirement()}),
    ('Platform = "x86_64-el9"', {"requirements": Requirement(tags=("platform:x86_64-el9",))}),
    ("Platform = {a, b}", {"requirements": Requirement(tags=("platform:a | platform:b",))}),
    ("Tags = {GPU, avx2}", {"requirements": Requirement(tags=("GPU", "avx2"))}),
    ('Tag = "GPU"; WholeNode = True', {"requirements": Requirement(tags=("GPU", "WholeNode"))}),
    ("WholeNode = no", {"requirements": Requirement()}),
    ("NumberOfProcessors = 4", {"requirements": Requirement(cores=4)}),
    ("MinNumberOfProcessors = 2; MaxNumberOfProcessors = 8", {"requirements": Requirement(cores=2, max_cores=8)}),
    ("MinRAM = 1.5; MaxRAM = 4", {"requirements": Requirement(memory=4_000_000_000)}),
    ("MinRAM = 1.5", {"requirements": Requirement(memory=1_500_000_000)}),
    ("Priority = 7", {"priority": 7}),
    ('Environment = {"A=1", "B=x%20y=z"}', {"environment": {"A": "1", "B": "x y=z"}}),
    ('ExecutionEnvironment = "A=1;B=2"', {"environment": {"A": "1", "B": "2"}}),
    ('Environment = [a = "1;2"; B = {x, y}]', {"environment": {"a": "1;2", "B": "x y"}}),
    ('environment = "A=%j"', {"environment": {"A": "{job_id}"}}),
    ('JobGroup = g; JobType = User; LogLevel = DEBUG; Owner = bob; OwnerGroup = x; VO = y; GridCE = ""; Foo = {[a=1]}',
     {"group": "users", "environment": {}, "requirements": Requirement(), "type": "User", "job_group": "g"}),
]  # fmt: skip


@pytest.mark.parametrize(("jdl", "becomes"), TABLE)
def test_an_attribute_becomes(jdl: str, becomes: dict[str, Any]) -> None:
    made = described(jdl)

    assert {key: getattr(made, key) for key in becomes} == becomes
    untouched = asdict(described("")).keys() - becomes.keys() - {"name", "command", "group", "priority"}
    plain = described("")
    assert {key: getattr(made, key) for key in untouched} == {key: getattr(plain, key) for key in untouched}


def test_every_attribute_is_in_the_table_of_what_it_becomes() -> None:
    said = " ".join(jdl for jdl, _ in TABLE).lower()
    assert [
        name for name in SERVED if not name.startswith(("Executable", "Parameter")) and name.lower() not in said
    ] == []
    assert not set(SERVED) & set(IGNORED)


def test_a_program_of_the_jobs_folder_goes_before_one_of_the_path() -> None:
    (one,) = wanted(f'Executable = "run.sh"; Arguments = "a b"; InputSandbox = "{SANDBOX}"')
    assert one.description.command == ("/bin/sh", "-c", LOCAL, "run.sh", "a", "b")
    (other,) = wanted('Executable = "run.sh"')
    assert (other.description.command, other.description.name) == (("run.sh",), "run.sh")


@pytest.mark.parametrize(("jdl", "said"), [
    ('Arguments = "\'a"', "Arguments cannot be split into words: No closing quotation"),
    (f'Arguments = "{"a " * 1001}"', "Arguments is of more than 1000 words"),
    (f'JobName = "{"a" * 129}"', "JobName is longer than 128 characters"),
    ('InputSandbox = {"run.sh"}', "InputSandbox names run.sh, which is no sandbox that was uploaded"),
    (f'InputSandbox = {{"{SANDBOX}", "{SANDBOX.replace("0", "1")}"}}', "InputSandbox names several sandboxes"),
    ('InputData = "LFN:a"', "InputData says a, which is no LFN"),
    ('InputData = "/belle/mc"', "which is no LFN"),
    ('InputData = "/belle/mc/../x"', "InputData is not fit"),
    ('InputData = "/belle/mc/x/"', "which is no LFN"),
    ("InputData = [a = 1]", "InputData has something else than texts"),
    ("InputData = {[a = 1]}", "InputData has something else than texts"),
    ('OutputData = "*.root"', "not by a pattern"),
    ('OutputData = "../a"', "which is not in the job's folder"),
    ('OutputData = "/gridpp/mc/a"', "OutputData is in VO gridpp; a job writes for belle"),
    ('OutputData = a; OutputPath = "/gridpp/mc"', "OutputPath is in VO gridpp"),
    ('OutputData = "a%j"', "OutputData has %j in it"),
    ('OutputData = a; OutputSE = "A|B"', "OutputSE names 'A|B', which is no RSE"),
    ("CPUTime = 0", "CPUTime is not between 1"),
    ("CPUTime = 1e15", "CPUTime is not between 1"),
    ("CPUTime = long", "CPUTime is not a number"),
    (f"Tags = {{{','.join(f't{n}' for n in range(101))}}}", "Tags has more than 100 values"),
    ("WholeNode = perhaps", "WholeNode is neither true nor false"),
    ("NumberOfProcessors = 1.5", "NumberOfProcessors is not a whole number"),
    ("NumberOfProcessors = 5000", "NumberOfProcessors is not between 1 and 4096"),
    ("NumberOfProcessors = 4; MaxNumberOfProcessors = 2", "MaxNumberOfProcessors is less than"),
    ("MaxRAM = -1", "MaxRAM is not between 0"),
    ("Priority = 1001", "Priority is not between -1000 and 1000"),
    ("Environment = A", "Environment has something in it that is not NAME=VALUE"),
    ('Environment = "1A=2"', "Environment names a variable '1A'"),
    ('Environment = "A=%00"', "Environment has a value for A that no variable can have"),
    ("Tag = a; Tags = b", "Tags is said twice"),
    ("GridCE = ce1", "GridCE cannot be served"),
    ("Argument = x", "Argument is not known; Arguments is"),
    ("InputSandboxx = x", "InputSandboxx is not known; InputSandbox is"),
    ("Executbale = x", "Executbale is not known; Executable is"),
    ("Jobname1 = x; Envirnoment = x", "Envirnoment is not known; Environment is"),
], ids=short)  # fmt: skip
def test_an_attribute_that_cannot_be_served_is_refused_by_its_name(jdl: str, said: str) -> None:
    assert said in refusal(RUN + jdl)


def test_files_that_our_client_has_packed_may_be_named_as_they_were_called_there() -> None:
    around = replace(AROUND, sandbox=HEX)
    ((one,), _) = read(['Executable = "run.sh"; InputSandbox = {"run.sh", "a/b.py"}'], around)
    assert one.description.sandbox == HEX
    ((one,), _) = read(["Executable = date"], around)
    assert one.description.sandbox is None


@pytest.mark.parametrize("jdl", ['Arguments = "x"', 'Executable = ""', 'Executable = " "', "Executable = \"''\""])
def test_a_job_needs_something_to_execute(jdl: str) -> None:
    assert refusal(jdl) == "Executable is missing."
