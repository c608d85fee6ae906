"""The client against the OpenAPI document: every route, parameter and field it uses exists and is what it expects."""

import inspect
import re
import types
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from sancho_client.call import Call, Lines, Pages
from sancho_client.calls import (
    archives,
    configuration,
    data,
    explain,
    identity,
    jobs,
    keeping,
    lives,
    publishing,
    rules,
    topology,
)
from sancho_client.calls import vos as vo_calls
from sancho_client.models import submissions as submission_models
from sancho_client.models.archives import Archive, Member
from sancho_client.models.configuration import Document
from sancho_client.models.data import NewFile, PlacedFile, UploadRule
from sancho_client.models.jobs import Gpus, JobBeat, JobDescription, JobReport, Output, Requirements, Retry, RuleWish
from sancho_client.models.lives import NewAttachment, NewCollection
from sancho_client.models.topology import Beat
from sancho_client.models.vos import NewVo, Resource
from sancho_client.names import parse_path
from tests.client.schemas import Schema, faults_of_type, faults_of_value, variants
from tests.described import described

Operation = Call[Any] | Pages[Any] | Lines[Any]
DESCRIPTION = JobDescription(
    name="n",
    command=["c"],
    group="users",
    environment={"A": "b"},
    sandbox="0" * 64,
    inputs=["mc:a"],
    start_with="80%",
    outputs=[Output(path="p", did="mc:a", dataset="mc:d", rule=RuleWish(copies=2, rse_expression="*", lifetime=60))],
    close_datasets=True,
    output_sandbox=["*"],
    requirements=Requirements(cores=1, memory="2 GB", walltime=60, tags=["t"], sites=["s"], banned_sites=["b"]),
    type="simulation",
    job_group="spring",
    alternatives=[
        Requirements(
            max_cores=8,
            memory_per_core="1 GB",
            memory_limit="20 GB",
            cpu_work=1e6,
            scratch="10 GB",
            io="100 MB",
            system="linux",
            architecture="x86_64",
            min_microarchitecture=2,
            max_microarchitecture=4,
            gpus=Gpus(count=1, vendor="nvidia", memory="8 GB", min_capability="7.5", max_capability="9.0"),
            far=True,
        )
    ],
    max_attempts=1,
    retry=Retry(site=3, data=1, job=0, temporary=[75], permanent=[2]),
    priority=1,
)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
FILE = NewFile(did="mc:a", size=1, adler32="00000001", dataset="mc:d", rse="A")
NEW_VO = NewVo(
    name="v",
    alias="v",
    share=1,
    email="a@v",
    providers={"p": {"issuer": "https://i"}},
    groups={"g": {"permissions": []}},
    quotas={"q": {"size": 1, "rse_expression": "*"}},
    scopes=["mc"],
    grants=[Resource(kind="RSE", name="A")],
)
PACKED = Member(did="mc:a", size=1, adler32="0000000a", guid="0" * 32)
OPERATIONS: Sequence[Operation] = [
    archives.archives_of("mc:a"),
    archives.members("mc:a.zip"),
    archives.of_guid("0" * 32),
    archives.pack([Archive(archive="mc:a.zip", files=[PACKED])]),
    archives.sample("mc:d", "mc:e", 1),
    archives.unpack("mc:a.zip", ["mc:a"]),
    configuration.apply([Document(kind="VO", name="v", vo="v", spec={}, remove=True)], dry_run=True, comment="c"),
    configuration.changes(1),
    configuration.client_settings(),
    configuration.documents("VO"),
    configuration.rollback(1, dry_run=True),
    configuration.versions(limit=1),
    data.access(["mc:a"]),
    data.attach("mc:d", ["mc:a"]),
    data.cancel([1]),
    data.close("mc:d"),
    data.commit([1]),
    data.contents("mc:d"),
    data.create("mc:d", "dataset"),
    data.create_scope("mc"),
    data.declare("unavailable", ["mc:a@A-DISK"], reason="r", until=NOW),
    data.detach("mc:d", ["mc:a"]),
    data.did("mc:a/b"),
    data.at_path(parse_path("/belle/mc/a/b")),
    data.entries(parse_path("/belle/mc/a/"), sizes=True),
    data.list_dids("mc", prefix="a", kind="file", limit=1),
    data.new_uploads([FILE], UploadRule(copies=1, rse_expression="*", lifetime=60)),
    data.register(
        "A-DISK", [PlacedFile(did="mc:a", size=1, adler32="0000000a", path="/belle/a", guid="0" * 32)], dataset="mc:d"
    ),
    data.quarantine("A-DISK", ["/belle/x"], reason="r"),
    data.troubles(kind="bad", state="standing", did="mc:a", rse="A-DISK", limit=1),
    data.replicas("mc:d"),
    data.replicas_of(["mc:d"]),
    data.scopes(),
    data.sign("A-DISK", ["https://disk/belle/a"], write=True, lifetime=60),
    data.shared(),
    data.shared_access("v", "mc:d"),
    data.shared_contents("v", "mc:d"),
    explain.file("mc:a/b"),
    explain.job(1),
    explain.pilot(1),
    explain.rule(1),
    identity.account("a", "v"),
    identity.accounts("v"),
    identity.activate("a", "v"),
    identity.change_attributes("a", {"k": 1}, vo="v"),
    identity.change_password("a", "new", current="old", vo="v"),
    identity.add_identity("a", "x509", "/CN=a", vo="v"),
    identity.groups("v"),
    identity.identities("a", vo="v"),
    identity.proofs_by("/CN=a", vo="v"),
    identity.remove_identity("a", "/CN=a", vo="v"),
    identity.login("v", "a", "p"),
    identity.login_by_certificate("v", "jobs:create"),
    identity.ways("v"),
    identity.begin_on_device("v"),
    identity.finish_on_device("d"),
    identity.redeem("c", redirect_uri="http://127.0.0.1:1/", verifier="v"),
    identity.exchange("t"),
    identity.logins(),
    identity.end_login("00000000-0000-4000-8000-000000000000"),
    identity.client_secret("a"),
    identity.revoke("t"),
    identity.erase_person("a", "v"),
    identity.export_person("a", "v"),
    identity.suspend("a", "v"),
    identity.whoami(),
    jobs.kill([1]),
    jobs.demand(everything=True, limit=1),
    jobs.clone([1], {"priority": 1}, parameters={"seed": 1}, idempotency_key="12345678"),
    jobs.hold(where="name = n", cursor="1"),
    jobs.release([1]),
    jobs.list_jobs(
        where="state = done", state="done", name="n", submission=1, mine=True, sort="id", columns=["site"], limit=1
    ),
    jobs.say({1: {"events": 5}}),
    jobs.views(),
    jobs.save_view("v", "state = done", sort="id", columns=["site"]),
    jobs.delete_view("v"),
    jobs.log(1, 1, follow=True),
    jobs.report([JobReport(job_id=1, minor="m", application="a", source="s", at=NOW)]),
    jobs.beat([JobBeat(job_id=1, load=1, memory=1, virtual=1, disk=1, cpu=1, wall=1, tail="x")], [1]),
    jobs.new_sandbox("0" * 64, 1),
    jobs.producers(["mc:a"]),
    jobs.reschedule([1], force=True, anew=True),
    jobs.sandbox(1),
    jobs.show(1),
    jobs.submit(DESCRIPTION, parameters=[{"seed": 1}], idempotency_key="12345678", anyway=True),
    jobs.submit(DESCRIPTION, count=2, after=[1, "n", submission_models.After(name="n", number=1, job=1, when="done")]),
    jobs.submit_cwl({}, {}, anyway=True, after=[1]),
    jobs.submit_graph([submission_models.JobPart(description=DESCRIPTION, idempotency_key="12345678", after=["n"])]),
    jobs.summary(1, by=["state", "site"], where="state = done"),
    keeping.approve(1, "yes"),
    keeping.ask(["mc:d"], NOW, "r"),
    keeping.list_exceptions(state="waiting", account="a", did="mc:d", limit=1),
    keeping.reject(1, "no"),
    keeping.show(1),
    lives.attach_many([NewAttachment(parent="mc:d", children=["mc:a"])], again=False),
    lives.below("mc:d"),
    lives.change_scope("mc", account="a", shared=True),
    lives.contents_at("mc:then", NOW, limit=1),
    lives.create_many([NewCollection(did="mc:d", kind="dataset", monotonic=True, lifetime=60, children=["mc:a"])]),
    lives.erase(["mc:d"], after=60),
    lives.files("mc:d", at=NOW),
    lives.follow(["mc:d"]),
    lives.followed(since=NOW, limit=1),
    lives.followers("mc:d"),
    lives.history("mc:d"),
    lives.parents("mc:a"),
    lives.reopen("mc:closed"),
    lives.restore(["mc:d"]),
    lives.set_lifetime("mc:short", 60),
    lives.set_monotonic("mc:grows"),
    lives.tallies(["mc:d"]),
    lives.unfollow(["mc:d"]),
    publishing.change("mc:d", state="public", doi="10.1234/a", record_id=1, about={"a": 1}),
    publishing.draft("mc:d"),
    publishing.list_public("belle", limit=1),
    publishing.list_publications(state="draft", limit=1),
    publishing.public_files("belle", "mc:d", limit=1),
    publishing.show("mc:d"),
    publishing.show_public("belle", "mc:d"),
    publishing.withdraw("mc:d"),
    rules.create("mc:a", "*", copies=2, lifetime=60, comment="c", activity="a"),
    rules.preview("mc:a", "*", copies=2),
    rules.change(1, lifetime=60, comment="c"),
    rules.delete(1),
    rules.held("A-DISK"),
    rules.list_rules(did="mc:a", account="a", state="ok", limit=1),
    rules.locks(1, limit=1),
    rules.quotas("a"),
    rules.show(1),
    rules.approve(1),
    rules.deny(1, "too large"),
    rules.history(rule_id=1, limit=1),
    rules.move(1, "tier=2", copies=1, lifetime=60, activity="a", comment="c"),
    rules.reduce(1, 1, exclude="tier=2"),
    rules.retry(1),
    rules.transfers(state="waiting", rse="A", limit=1),
    rules.withdraw("mc:d"),
    rules.usage_history("alice", "A-DISK", limit=1),
    rules.usage("a"),
    topology.accounting(["account", "day"], since=NOW, until=NOW),
    topology.announce_downtime("RSE", "r", "new cooling", begins_at=NOW, ends_at=NOW),
    topology.ce("c"),
    topology.ces(),
    topology.downtimes(since=NOW, limit=1),
    topology.end_downtime(1),
    topology.links(1),
    topology.pilot_summary(1),
    topology.pilots(limit=1),
    topology.registered_pilots("status = Running", limit=1),
    topology.programs(),
    topology.report(Beat(name="n", host="h", pid=1, thread="t", detail="d")),
    topology.resolve("*"),
    topology.rse("r"),
    topology.rses(),
    topology.rse_usage("r"),
    topology.rse_usages(),
    topology.site("s"),
    topology.sites(),
    topology.vos(),
    vo_calls.check("v"),
    vo_calls.create(NEW_VO),
]
STREAMED = {
    "/v1/accounts/{name}/export", "/v1/archives-of/{did}", "/v1/archives/{did}", "/v1/below/{did}",
    "/v1/contents/{did}", "/v1/files/{did}", "/v1/history/{did}", "/v1/parents/{did}", "/v1/replicas/list",
    "/v1/replicas/{did}", "/v1/rses/{name}/locks", "/v1/shared/contents/{vo}/{did}",
}  # fmt: skip
"""Their answers are made by the database and have no schema; the tests against a served grid read them."""


@pytest.fixture(scope="module")
def document() -> Schema:
    return described()


def label(operation: Operation) -> str:
    grant = (getattr(operation, "form", None) or {}).get("grant_type", "")
    return f"{getattr(operation, 'method', 'GET')} {operation.path} {grant}".rstrip()


@pytest.mark.parametrize("operation", OPERATIONS, ids=label)
def test_every_operation_is_what_the_server_has(document: Schema, operation: Operation) -> None:
    template, route = find_route(document, operation)

    assert list(faults_of_request(document, operation, route)) == []
    if template not in STREAMED:
        assert list(faults_of_answer(document, operation, route)) == []


def test_no_operation_is_left_out() -> None:
    made = {label(operation) for operation in OPERATIONS}
    modules = (
        archives, configuration, data, explain, identity, jobs, keeping, lives, publishing, rules, topology, vo_calls
    )  # fmt: skip
    functions = [
        f for m in modules for _, f in inspect.getmembers(m, inspect.isfunction)
        if f.__module__ == m.__name__ and not f.__name__.startswith("_")
    ]  # fmt: skip

    # `jobs.submit` is here twice, with rows and with a count.
    assert len(made) == len(OPERATIONS) - 1 == len(functions)


def find_route(document: Schema, operation: Operation) -> tuple[str, Schema]:
    """The route that the server would choose: a plain one before one with a name in it, a DID's last."""
    method = getattr(operation, "method", "GET").lower()
    rest = re.compile(r"\{(did|path)\}")
    known = sorted(document["paths"].items(), key=lambda one: (bool(rest.search(one[0])), one[0].count("{")))
    for template, routes in known:
        pattern = re.escape(template).replace(r"\{did\}", ".+").replace(r"\{path\}", ".+")
        if method in routes and re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", pattern), operation.path):
            return template, routes[method]
    raise AssertionError(f"there is no route {label(operation)}")


def faults_of_request(document: Schema, operation: Operation, route: Schema) -> Iterator[str]:
    sent: Call[Any] = operation.page("c") if isinstance(operation, Pages) else (
        operation.call() if isinstance(operation, Lines) else operation
    )  # fmt: skip
    known = {p["name"] for p in route.get("parameters", []) if p["in"] == "query"}
    paged = isinstance(operation, Pages) and not {"cursor", "after", "before"} & known
    for name, value in (sent.query or {}).items():
        if value is not None and name not in known and not (paged and name in {"cursor", "limit"}):
            yield f"query {name}"
    content = route.get("requestBody", {}).get("content", {})
    for media, value in (("application/json", sent.json), ("application/x-www-form-urlencoded", sent.form)):
        if value is not None:
            yield from faults_of_value(document, content[media]["schema"], value, "body")


def faults_of_answer(document: Schema, operation: Operation, route: Schema) -> Iterator[str]:
    success = next(answer for status, answer in route["responses"].items() if status.startswith("2"))
    content = success.get("content", {}).get("application/json")
    if isinstance(operation, Pages):
        assert content is not None
        (schema,) = variants(document, content["schema"])
        if schema["type"] == "object":
            assert "next" in schema["properties"]
            schema = schema["properties"][operation.items]
        else:
            assert operation.key is not None or not {"after", "before"} & {
                p["name"] for p in route.get("parameters", [])
            }
        yield from faults_of_type(document, schema, list[operation.item], "items")
        return
    assert isinstance(operation, Call)
    if operation.answer is types.NoneType:
        return
    assert content is not None, "the server answers nothing"
    yield from faults_of_type(document, content["schema"], operation.answer, "answer")
