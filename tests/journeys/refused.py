"""What a refusal looks like, and the table of requests that make no sense to the grid of `given.py`."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import httpx2

from tests.journeys.asking import Ask
from tests.journeys.given import ADLER, Filled, Grid

PROBLEM = "application/problem+json"
NOBODY = "nobody"


def check_refused(answer: httpx2.Response, what: str = "") -> dict[str, Any]:
    """A refusal is a 4xx problem with a code, a sentence, and a field to blame or a hint what to do."""
    said = f"{what}: {answer.status_code} {answer.text[:300]}"
    assert 400 <= answer.status_code < 500, said
    body = answer.json()
    # OAuth's clients look for `error`, in plain JSON.
    assert answer.headers["content-type"] == ("application/json" if "error" in body else PROBLEM), said
    assert body["status"] == answer.status_code, said
    assert body["code"], said
    assert len(body["detail"]) > 10, said
    assert body.get("field") or body.get("hint"), said
    return body


@dataclass(frozen=True)
class Case:
    """A good request with something changed in it, and what is answered to it."""

    route: str
    status: int
    code: str
    field: str | None
    body: Mapping[str, Any]
    query: Mapping[str, Any]
    names: Mapping[str, Any]
    account: str | None
    vo: str

    def __str__(self) -> str:
        """What is changed, as the name of a test."""
        changed = {**self.body, **self.query, **self.names} or {"as": self.account}
        return f"{self.route} {self.code} " + " ".join(f"{k}={str(v)[:30]}" for k, v in changed.items())

    def of(self, good: Mapping[str, Ask], filled: Filled) -> Ask:
        """The request: numbers are given by name, as `filled.ids` has them."""
        one = good[self.route]
        body, form = copy.deepcopy(one.body), dict(one.form or {})
        for path, value in self.body.items():
            if one.form is not None:
                form[path] = value
            else:
                put(body, path, _numbers(value, filled))
        account = one.account if self.account is None else None if self.account == NOBODY else self.account
        return replace(
            one, body=body, form=form or None, query={**one.query, **self.query}, account=account,
            names={**one.names, **{k: _numbers(v, filled) for k, v in self.names.items()}},
        )  # fmt: skip


def case(
    route: str, status: int, code: str, field: str | None = None, *, body: Mapping[str, Any] | None = None,
    query: Mapping[str, Any] | None = None, account: str | None = None, vo: str = "belle", **names: Any,
) -> Case:  # fmt: skip
    """A row of the table."""
    return Case(route, status, code, field, body or {}, query or {}, names, account, vo)


def put(document: Any, path: str, value: Any) -> None:
    """Put a value where `files.0.did` says."""
    *words, last = path.split(".")
    for word in words:
        document = document[int(word)] if isinstance(document, list) else document[word]
    if isinstance(document, list):
        document[int(last)] = value
    else:
        document[last] = value


def _numbers(value: Any, filled: Filled) -> Any:
    if isinstance(value, list):
        return [_numbers(one, filled) for one in value]
    return filled.ids.get(value, value) if isinstance(value, str) else value


def as_instance(grid: Grid) -> Filled:
    """Ask as somebody of the VO `instance`."""
    return replace(grid.belle, vo="instance")


def _document(kind: str, name: str, **spec: Any) -> dict[str, Any]:
    return {"kind": kind, "name": name, "spec": spec}


FILE = {"did": "mc:x", "size": 1, "adler32": ADLER}
PACKED = {"archive": "mc:arc.zip", "files": [FILE]}
UNKNOWN = 10**12
APPLY, JOBS, UPLOADS = "POST /configuration/apply", "POST /jobs", "POST /uploads"
NEED, OUT = "description.requirements", "description.outputs"
EXPRESSION = f"{OUT}.0.rule.rse_expression"

DIDS = [
    *(
        case("POST /dids", 422, "did_malformed", "did", body={"did": did})
        for did in ("mc", "mc:", ":x", "_C:x", "mc:a b", "mc:/a", "mc:a/", "mc:a//b", "mc:../a", "mc:./a", "mc:\u202ea",
                    "mc:a\n", "mc:\U000e0001", f"mc:{'x' * 251}", f"mc:{'é' * 126}", f"{'s' * 31}:x", "mc x:y")
    ),
    case("POST /dids", 404, "scope_not_found", "did", body={"did": "nowhere:x"}),
    case("POST /dids", 409, "did_exists", "did", body={"did": "mc:raw"}),
    case("GET /dids/{did:path}", 404, "did_not_found", "did", did="mc:nothing"),
    case("GET /dids/{did:path}", 422, "did_malformed", "did", did="nonsense"),
    case("GET /paths/{path:path}", 404, "path_not_found", "path", path="belle/mc/nothing"),
    case("GET /paths/{path:path}", 422, "path_malformed", "path", path="belle/mc/a//b"),
    case("GET /dids", 404, "scope_not_found", "scope", query={"scope": "nowhere"}),
    case("PATCH /dids/{did:path}", 409, "not_a_collection", "did", did="mc:raw/1", account="root"),
    case("PATCH /dids/{did:path}", 403, "not_yours", did="mc:raw"),
    case("GET /contents/{did:path}", 409, "not_a_collection", "did", did="mc:raw/1"),
    case("GET /contents/{did:path}", 404, "did_not_found", "did", did="mc:nothing"),
    case("POST /attachments", 404, "did_not_found", "parent", body={"parent": "mc:nothing"}),
    case("POST /attachments", 404, "did_not_found", "children", body={"children": ["mc:raw", "mc:nothing"]}),
    case("POST /attachments", 422, "did_malformed", "children", body={"children": ["nonsense"]}),
    case("POST /attachments", 409, "kinds_mismatch", "children", body={"children": ["mc:raw/1"]}),
    case("POST /attachments", 409, "cycle", "children", body={"children": ["mc:box"]}),
    case("POST /attachments", 409, "collection_closed", "parent", body={"parent": "mc:raw", "children": ["mc:raw/1"]},
         account="root"),
    case("POST /attachments", 403, "not_yours", account="carol"),
    case("POST /attachments/remove", 404, "did_not_found", "children", body={"children": ["mc:nothing"]}),
    case("POST /archives", 404, "did_not_found", "archive", body={"archives": [{**PACKED, "archive": "mc:no.zip"}]}),
    case("POST /archives", 409, "not_an_archive", "archive", body={"archives": [{**PACKED, "archive": "mc:raw/1"}]}),
    case("POST /archives", 409, "guid_taken", "archives.0.files.0.guid",
         body={"archives": [{**PACKED, "files": [{"did": "mc:x", "size": 1, "guid": f"{1:032x}"}]}]}),
    case("POST /archives", 409, "archive_nested", "archives.0.files.0",
         body={"archives": [{**PACKED, "files": [{"did": "mc:arc.zip"}]}]}),
    case("POST /archives", 422, "size_missing", "archives.0.files.0",
         body={"archives": [{**PACKED, "files": [{"did": "mc:x"}]}]}),
    case("POST /archives", 403, "not_yours", account="alice"),
    case("POST /archives/remove", 404, "did_not_found", "files", body={"files": ["mc:nothing"]}),
    case("GET /archives/{did:path}", 404, "did_not_found", "did", did="mc:nothing"),
    case("GET /archives-of/{did:path}", 404, "did_not_found", "did", did="mc:nothing"),
    case("GET /guids/{guid}", 404, "guid_unknown", "guid", guid=f"{99:032x}"),
    case("POST /samples", 404, "did_not_found", "source", body={"source": "mc:nothing"}),
    case("POST /samples", 409, "did_exists", "dataset", body={"dataset": "mc:raw"}),
    case("POST /scopes", 403, "permission_missing", account="alice"),
    case("POST /scopes", 409, "scope_exists", "name", body={"name": "mc"}),
    case("POST /scopes", 422, "scope_malformed", "name", body={"name": "Not A Scope"}),
    case("POST /replicas", 403, "permission_missing", account="alice"),
    case("POST /replicas", 404, "rse_not_found", "rse", body={"rse": "NOWHERE"}),
    case("POST /replicas", 404, "rse_not_found", "rse", body={"rse": "no such name"}),
    case("POST /replicas", 404, "scope_not_found", "files.0.did", body={"files.0.did": "nowhere:x"}),
    case("POST /replicas", 422, "did_malformed", "files.1.did", body={"files": [FILE, FILE | {"did": "x"}]}),
    case("POST /replicas", 422, "checksum_malformed", "files.0.adler32", body={"files.0.adler32": "xyz"}),
    case("POST /replicas", 422, "checksum_malformed", "files.0.md5", body={"files.0.md5": "0A" * 16}),
    case("POST /replicas", 409, "did_exists", "files.1.did", body={"files": [FILE, FILE]}),
    case("POST /replicas", 409, "did_exists", "files.0.did", body={"files.0.did": "mc:raw/1"}),
    case("POST /replicas", 409, "not_a_dataset", "dataset", body={"dataset": "mc:raw/1"}),
    case("POST /replicas", 409, "not_a_dataset", "dataset", body={"dataset": "mc:box"}),
    case("POST /replicas", 409, "collection_closed", "dataset", body={"dataset": "mc:raw"}),
    case("POST /replicas/access", 404, "did_not_found", "dids", body={"dids": ["mc:raw", "mc:nothing"]}),
    case("GET /replicas/{did:path}", 404, "did_not_found", "did", did="mc:nothing"),
]  # fmt: skip

RULES_AND_UPLOADS = [
    case("POST /rules", 404, "did_not_found", "did", body={"did": "mc:nothing"}),
    *(
        case("POST /rules", 422, "rse_expression_invalid", "rse_expression", body={"rse_expression": expression})
        for expression in ("tier=", "&", "tier=1&", "(", "((tier=1)", "a b", "tier==1", "é", "(" * 100, "a>b")
    ),
    *(
        case("POST /rules", 422, "rse_expression_empty", "rse_expression", body={"rse_expression": expression})
        for expression in ("tier=99", "NOWHERE", "*\\*", "tier=1&tier=2", f"tier>{'9' * 400}", "GRIDPP-DISK")
    ),
    case("POST /rules", 422, "too_few_rses", "copies", body={"copies": 2}),
    case("POST /rules", 409, "quota_exceeded", body={"copies": 2, "rse_expression": "*"}, account="carol"),
    case("GET /rules", 404, "account_not_found", "account", query={"account": NOBODY}),
    case("GET /rules", 404, "did_not_found", "did", query={"did": "mc:nothing"}),
    *(
        case(f"{method} /rules/{{rule_id}}{more}", 404, "rule_not_found", "rule_id", rule_id=UNKNOWN)
        for method, more in (("GET", ""), ("DELETE", ""), ("GET", "/locks"))
    ),
    case("POST /rules/withdraw", 404, "did_not_found", "did", body={"did": "mc:nothing"}),
    case("POST /rules/withdraw", 422, "did_malformed", "did", body={"did": "nonsense"}),
    case("DELETE /rules/{rule_id}", 403, "not_yours", account="carol"),
    case("GET /rules/{rule_id}/locks", 422, "invalid_request", "cursor", query={"cursor": "99999999999.1"}),
    case("GET /quotas", 404, "account_not_found", "account", query={"account": NOBODY}),
    case("GET /usage", 404, "account_not_found", "account", query={"account": NOBODY}),
    case("GET /usage", 422, "invalid_request", "cursor", query={"cursor": "1"}),
    case(UPLOADS, 404, "rse_not_found", "files.0.rse", body={"files.0.rse": "NOWHERE"}),
    case(UPLOADS, 404, "rse_not_found", "files.0.rse", body={"files.0.rse": "GRIDPP-DISK"}),
    case(UPLOADS, 404, "scope_not_found", "files.0.did", body={"files.0.did": "nowhere:x"}),
    case(UPLOADS, 404, "scope_not_found", "files.0.dataset", body={"files.0.dataset": "nowhere:x"}),
    case(UPLOADS, 422, "did_malformed", "files.0.dataset", body={"files.0.dataset": "x"}),
    case(UPLOADS, 409, "not_a_dataset", "files.0.dataset", body={"files.0.dataset": "mc:raw/1"}),
    case(UPLOADS, 409, "collection_closed", "files.0.dataset", body={"files.0.dataset": "mc:raw"}, account="root"),
    case(UPLOADS, 403, "not_yours", body={"files.0.dataset": "mc:raw"}),
    case(UPLOADS, 409, "did_exists", "files.0.did", body={"files.0.did": "mc:raw/1"}),
    case(UPLOADS, 422, "invalid", "files", body={"files": [FILE, FILE]}),
    case(UPLOADS, 422, "rse_expression_invalid", "rule.rse_expression", body={"rule.rse_expression": "("}),
    case(UPLOADS, 422, "rse_expression_empty", "rule.rse_expression", body={"rule.rse_expression": "tier=99"}),
    case(UPLOADS, 422, "too_few_rses", "rule.copies", body={"rule.copies": 50, "files.0.dataset": "mc:other"}),
    case(UPLOADS, 422, "too_few_rses", "rule.copies", body={"rule.copies": 50, "files.0.dataset": None}),
    case(UPLOADS, 409, "quota_exceeded", body={"files.0": FILE | {"size": 2000}}, account="carol"),
    case(UPLOADS, 409, "quota_exceeded", body={"files.0.size": 2**50}),
    case("POST /uploads/commit", 404, "intent_not_found", "intents", body={"intents": ["upload_there", UNKNOWN]}),
    case("POST /uploads/commit", 404, "intent_not_found", "intents", account="carol"),
    case("POST /uploads/commit", 409, "upload_incomplete", body={"intents": ["upload_there", "upload_open"]}),
    case("POST /uploads/commit", 409, "intent_given_up", body={"intents": ["upload_cancelled", "upload_there"]}),
    case("POST /uploads/cancel", 404, "intent_not_found", "intents", account="carol"),
]

JOB_CASES = [
    case(JOBS, 404, "site_not_found", f"{NEED}.sites", body={f"{NEED}.sites": ["SITE-A", "NOWHERE"]}),
    case(JOBS, 404, "site_not_found", f"{NEED}.banned_sites", body={f"{NEED}.banned_sites": ["no such name"]}),
    case(JOBS, 404, "group_not_found", "description.group", body={"description.group": "nobodies"}),
    case(JOBS, 403, "not_in_group", "description.group", body={"description.group": "admins"}),
    *(
        case(JOBS, 422, "no_site_can_run", NEED, body={f"{NEED}.{field}": value})
        for field, value in (("cores", 4096), ("memory", "1 EB"), ("walltime", "3000 d"), ("tags", ["gpu"]),
                             ("sites", ["SITE-B"]), ("banned_sites", ["SITE-A"]))
    ),
    case(JOBS, 422, "sandbox_missing", "description.sandbox", body={"description.sandbox": "9" * 64}),
    case(JOBS, 422, "sandbox_missing", "description.sandbox", body={"description.sandbox": "4" * 64}),
    case(JOBS, 404, "did_not_found", "description.inputs", body={"description.inputs": ["mc:raw", "mc:nothing"]}),
    case(JOBS, 422, "did_malformed", "description.inputs", body={"description.inputs": ["nonsense"]}),
    case(JOBS, 422, "did_malformed", f"{OUT}.0.did",
         body={f"{OUT}.0.did": "mc:{name}", "parameters.0": {"name": "a b"}}),
    case(JOBS, 404, "scope_not_found", f"{OUT}.0.did", body={f"{OUT}.0.did": "nowhere:x"}),
    case(JOBS, 422, "did_malformed", f"{OUT}.0.dataset", body={f"{OUT}.0.dataset": "xyz"}),
    case(JOBS, 409, "not_a_dataset", f"{OUT}.0.dataset", body={f"{OUT}.0.dataset": "mc:raw/1"}),
    case(JOBS, 409, "collection_closed", f"{OUT}.0.dataset",
         body={f"{OUT}.0.dataset": "mc:raw", "description.group": None}, account="root"),
    case(JOBS, 403, "not_yours", body={f"{OUT}.0.dataset": "mc:raw"}),
    case(JOBS, 409, "output_promised_twice", "description.outputs", body={f"{OUT}.0.did": "mc:raw/1"}),
    case(JOBS, 409, "output_promised_twice", "description.outputs", body={f"{OUT}.0.did": "mc:waiting_1"}),
    case(JOBS, 409, "output_promised_twice", "description.outputs",
         body={f"{OUT}.0.did": "mc:same", "parameters": {"count": 2}}),
    case(JOBS, 413, "too_many_outputs", "parameters",
         body={"parameters": {"count": 10_000}, OUT: [{"path": "x", "did": f"mc:{n}_{{number}}"} for n in range(11)]}),
    case(JOBS, 422, "parameter_missing", "parameters", body={"description.command": ["run", "{energy}"]}),
    case(JOBS, 422, "output_outside", f"{OUT}.0.path",
         body={f"{OUT}.0.path": "{where}/x", "parameters.0": {"where": "../.."}}),
    case(JOBS, 422, "output_outside", f"{OUT}.0.path",
         body={f"{OUT}.0.path": "{where}", "parameters.0": {"where": ""}}),
    case(JOBS, 422, "invalid_request", f"{OUT}.0.path", body={f"{OUT}.0.path": "/etc/passwd"}),
    case(JOBS, 422, "rse_expression_invalid", EXPRESSION, body={EXPRESSION: "("}),
    case(JOBS, 422, "rse_expression_empty", EXPRESSION, body={EXPRESSION: "x"}),
    case(JOBS, 422, "too_few_rses", f"{OUT}.0.rule.copies", body={f"{OUT}.0.rule.copies": 50}),
    case(JOBS, 422, "too_few_rses", f"{OUT}.0.rule.copies",
         body={f"{OUT}.0.rule.copies": 50, f"{OUT}.0.dataset": None}),
    *(
        case(JOBS, 422, "invalid_request", f"parameters.0.{name}", body={"parameters.0": {name: value}})
        for name, value in (("a", None), ("a", []), ("a", {"b": 1}), ("a", "x" * 5000), ("a", 2**63), ("Number", 1),
                            ("a.b", 1), ("a" * 200, 1))
    ),
    case("POST /jobs/kill", 404, "job_not_found", "job_ids", body={"job_ids": ["job_waiting", UNKNOWN]}),
    case("POST /jobs/kill", 403, "not_yours", account="carol"),
    case("POST /jobs/reschedule", 404, "job_not_found", "job_ids", body={"job_ids": ["job_killed", UNKNOWN]}),
    case("POST /jobs/reschedule", 409, "not_reschedulable", "job_ids", body={"job_ids": ["job_killed", "job_done"]}),
    case("POST /jobs/producers", 404, "did_not_found", "dids", body={"dids": ["mc:nothing"]}),
    *(
        case(f"GET /jobs/{{job_id}}{more}", 404, "job_not_found", "job_id", job_id=UNKNOWN)
        for more in ("", "/log", "/sandbox")
    ),
    case("GET /jobs/{job_id}/sandbox", 404, "not_found", None, job_id="job_waiting"),
    case("GET /jobs", 422, "invalid_request", "state.0", query={"state": ["nonsense"]}),
    case("GET /jobs", 422, "query_malformed", "where", query={"where": "state ="}),
    case("GET /jobs", 422, "search_field_unknown", "where", query={"where": "states = done"}),
    case("GET /jobs", 422, "search_value_unfit", "where", query={"where": "state = gone"}),
    case("GET /jobs", 422, "search_value_unfit", "where", query={"where": "id = 99999999999999999999"}),
    case("GET /jobs", 422, "search_operator_unfit", "where", query={"where": "param.x contains y"}),
    case("GET /jobs", 422, "not_to_be_shown", "columns", query={"columns": ["input"]}),
    case("GET /jobs", 422, "cursor_malformed", "cursor", query={"cursor": "x"}),
    case("GET /jobs", 422, "cursor_malformed", "cursor", query={"cursor": "5", "sort": "-changed_at"}),
    case("GET /jobs", 422, "invalid_request", "sort", query={"sort": "site"}),
    case("GET /jobs/summary", 422, "invalid_request", "by.0", query={"by": ["id"]}),
    case("PATCH /jobs/parameters", 404, "job_not_found", "parameters",
         body={"jobs": [{"job_id": UNKNOWN, "parameters": {"a": 1}}]}),
    case("PATCH /jobs/parameters", 403, "not_yours", account="carol"),
    *(
        case("PATCH /jobs/parameters", 422, "parameter_unfit", "parameters", body={"jobs.0.parameters.HostName": value})
        for value in ("x" * 5000, 2**63, {"a": "x" * 5000})
    ),
    case("PUT /jobs/views/{name}", 422, "search_field_unknown", "where", body={"where": "states = done"}),
    case("PUT /jobs/views/{name}", 422, "not_to_be_shown", "columns", body={"columns": ["nothing"]}),
    case("DELETE /jobs/views/{name}", 404, "job_view_not_found", "name", name="nothing"),
]  # fmt: skip

PILOTS = [
    case("POST /pilot/login", 401, "pilot_unknown", body={"stamp": "unknown"}),
    case("POST /pilot/login", 401, "pilot_unknown", body={"secret": "wrong"}),
    case("POST /pilot/match", 403, "not_a_pilot", account="alice"),
    case("GET /jobs", 403, "not_for_pilots", account="pilot"),
    *(
        case(f"{method} /pilot/attempts/{{attempt_id}}{more}", 409, "attempt_ended", "attempt_id", attempt_id=attempt)
        for attempt in (UNKNOWN, "attempt_done")
        for method, more in (("GET", ""), ("POST", "/start"), ("POST", "/outputs"), ("POST", "/sandbox"))
    ),
    case("POST /pilot/attempts/{attempt_id}/finish", 409, "attempt_ended", "attempt_id", attempt_id=UNKNOWN),
    case("POST /pilot/attempts/{attempt_id}/finish", 404, "intent_not_found", "intents", body={"intents": [UNKNOWN]}),
    case("POST /pilot/attempts/{attempt_id}/finish", 404, "intent_not_found", "intents",
         body={"intents": ["upload_there"]}),
    case("POST /pilot/attempts/{attempt_id}/finish", 400, "outputs_differ", "intents", body={"intents": []}),
    case("POST /pilot/attempts/{attempt_id}/outputs", 422, "output_unknown", "outputs", body={"outputs.0.number": 7}),
    case("POST /pilot/attempts/{attempt_id}/outputs", 422, "output_unknown", "outputs",
         body={"outputs": [{"number": 0, "size": 1, "adler32": ADLER}] * 2}),
    case("GET /pilots", 403, "permission_missing", account="alice"),
    case("GET /objects/{key:path}", 403, "signature_wrong"),
    case("PUT /objects/{key:path}", 403, "signature_wrong"),
    case("POST /objects/{key:path}", 403, "signature_wrong"),
]  # fmt: skip

RSE = {"site": "SITE-A", "plugin": "posix", "prefix": "file:///x"}
CE = {"site": "SITE-A", "plugin": "local", "settings": {"folder": "/tmp/x"}}
GRANT = {"resource": {"kind": "Site", "name": "SITE-A"}, "to": ["belle"]}
AT = "documents.0"
CONFIGURATION = [
    case(APPLY, 403, "permission_missing", account="alice"),
    case(APPLY, 422, "kind_unknown", f"{AT}.kind", body={f"{AT}.kind": "Nonsense"}),
    case(APPLY, 403, "not_your_configuration", f"{AT}.vo", body={f"{AT}.vo": "gridpp"}),
    case(APPLY, 403, "not_your_configuration", f"{AT}.vo", body={f"{AT}.vo": "nowhere"}),
    case(APPLY, 403, "not_your_configuration", f"{AT}.vo", body={AT: _document("Site", "NEW")}),
    case(APPLY, 403, "not_your_configuration", f"{AT}.vo", body={AT: _document("VO", "new")}),
    case(APPLY, 422, "document_invalid", f"{AT}.name", body={f"{AT}.name": "Not A Name"}),
    case(APPLY, 422, "document_invalid", f"{AT}.spec.colour", body={f"{AT}.spec": {"colour": "red"}}),
    case(APPLY, 422, "document_invalid", f"{AT}.spec", body={f"{AT}.spec": {"email": float("nan")}}),
    case(APPLY, 422, "document_twice", "documents.1.name", body={"documents": [_document("Account", "dave")] * 2}),
    case(APPLY, 422, "document_unknown", f"{AT}.name", body={f"{AT}.name": NOBODY, f"{AT}.remove": True}),
    case(APPLY, 422, "reference_unknown", f"{AT}.spec.groups.0", body={f"{AT}.spec": {"groups": ["nobodies"]}}),
    case(APPLY, 413, "too_many_documents", "documents", body={"documents": [_document("Account", "dave")] * 2001}),
    case(APPLY, 422, "rse_expression_empty", f"{AT}.spec.rse_expression",
         body={AT: _document("Quota", "q", rse_expression="x", size=1)}),
    case(APPLY, 422, "reference_unknown", f"{AT}.spec.account",
         body={AT: _document("Quota", "q", rse_expression="*", size=1, account=NOBODY)}),
    case(APPLY, 422, "document_invalid", f"{AT}.spec.size",
         body={AT: _document("Quota", "q", rse_expression="*", size="999999999999999999 EB")}),
    case(APPLY, 422, "owner_missing", f"{AT}.vo", body={f"{AT}.vo": None}, vo="instance"),
    case(APPLY, 422, "reference_unknown", f"{AT}.vo", body={f"{AT}.vo": "nowhere"}, vo="instance"),
    case(APPLY, 422, "reference_unknown", f"{AT}.spec.site", body={AT: _document("RSE", "N", **RSE | {"site": "NO"})},
         vo="instance"),
    case(APPLY, 422, "plugin_missing", f"{AT}.spec.plugin", body={AT: _document("RSE", "N", **RSE | {"plugin": "no"})},
         vo="instance"),
    case(APPLY, 422, "settings_invalid", f"{AT}.spec.settings.colour",
         body={AT: _document("RSE", "N", **RSE, settings={"colour": 1})}, vo="instance"),
    case(APPLY, 422, "reference_unknown", f"{AT}.spec.distances.NO",
         body={AT: _document("RSE", "N", **RSE, distances={"NO": 1})}, vo="instance"),
    case(APPLY, 422, "document_invalid", f"{AT}.spec.cores", body={AT: _document("ComputeElement", "N", **CE, cores=0)},
         vo="instance"),
    case(APPLY, 422, "reference_unknown", f"{AT}.spec.to.0",
         body={AT: _document("Grant", "N", **GRANT | {"to": ["nowhere"]})}, vo="instance"),
    case(APPLY, 422, "reference_unknown", f"{AT}.spec.resource.name",
         body={AT: _document("Grant", "N", **GRANT | {"resource": {"kind": "RSE", "name": "NO"}})}, vo="instance"),
    case(APPLY, 409, "document_permanent", f"{AT}.remove", body={AT: {"kind": "VO", "name": "belle", "remove": True}},
         vo="instance"),
    case("POST /configuration/rollback", 404, "version_not_found", "version", body={"version": UNKNOWN}),
    case("GET /configuration/versions/{version}", 404, "version_not_found", "version", version=UNKNOWN),
    case("GET /configuration", 403, "permission_missing", account="alice"),
]  # fmt: skip

IDENTITY = [
    *(
        case(route, 404, "account_not_found", "name", name=name)
        for route in ("GET /accounts/{name}", "POST /accounts/{name}/suspend", "POST /accounts/{name}/activate",
                      "POST /accounts/{name}/password")
        for name in (NOBODY, "No Such Name", "x" * 5000)
    ),
    *(
        case(route, 404, "vo_not_found", "vo", query={"vo": vo})
        for route in ("GET /accounts", "GET /groups", "POST /accounts/{name}/suspend")
        for vo in ("gridpp", "nowhere")
    ),
    case("POST /accounts/{name}/suspend", 403, "permission_missing", account="alice"),
    case("POST /accounts/{name}/password", 422, "password_unfit", "password", body={"password": "short"}),
    case("POST /accounts/{name}/password", 422, "password_frequent", "password", body={"password": "sunshine1"}),
    case("POST /accounts/{name}/password", 422, "password_obvious", "password", body={"password": "Carol-2026"}),
    case("POST /accounts/{name}/password", 403, "password_wrong", "current_password",
         body={"current_password": "wrong"}, account="carol"),
    case("POST /auth/token", 400, "unsupported_grant_type", "grant_type", body={"grant_type": "nonsense"}),
    case("POST /auth/token", 401, "login_refused", body={"password": "wrong"}),
    case("POST /auth/token", 401, "login_refused", body={"vo": "nowhere"}),
    case("POST /auth/token", 400, "grant_incomplete", "username", body={"username": ""}),
    case("POST /auth/token", 422, "not_text", "username", body={"username": "carol\0"}),
    case("POST /auth/token", 400, "grant_incomplete", "refresh_token", body={"grant_type": "refresh_token"}),
    case("POST /auth/token", 401, "refresh_refused", body={"grant_type": "refresh_token", "refresh_token": "sr-1-x"}),
    case("GET /sites/{name}", 404, "site_not_found", "name", name="NOWHERE"),
    case("GET /ces/{name}", 404, "ce_not_found", "name", name="GRIDPP-CE"),
    case("GET /rses/{name}", 404, "rse_not_found", "name", name="GRIDPP-DISK"),
    case("GET /rses:resolve", 422, "rse_expression_invalid", "expression", query={"expression": "tier="}),
    case("GET /rses:resolve", 422, "rse_expression_empty", "expression", query={"expression": "GRIDPP-DISK"}),
    case("GET /accounting", 422, "invalid_request", "by.0", query={"by": "nonsense"}),
    case("GET /accounting", 422, "invalid_request", "until", query={"until": "0001-01-01T00:00:00"}),
    case("GET /accounting", 422, "invalid_request", "since", query={"since": "9999-12-31T23:59:59-12:00"}),
]  # fmt: skip

CASES = [*DIDS, *RULES_AND_UPLOADS, *JOB_CASES, *PILOTS, *CONFIGURATION, *IDENTITY]
