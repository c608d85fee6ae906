"""A good request for every native route, with every field that it may have: tests spoil them, or change who asks."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

import httpx2
from fastapi.routing import APIRoute

from sancho.app import ROUTERS
from tests.journeys.given import (
    ADLER,
    CONTENT,
    OFFER,
    PASSWORD,
    SHA256,
    SSH_KEY,
    SSH_PRINT,
    Filled,
    description,
)

NATIVE = {
    f"{method} {route.path.removeprefix('/v1')}": route
    for router in ROUTERS for route in router.routes if isinstance(route, APIRoute) for method in route.methods or ()
}  # fmt: skip
"""Every native route by `METHOD /path`, its path below /v1."""
PRESIGNED = {"GET /objects/{key:path}", "PUT /objects/{key:path}", "POST /objects/{key:path}"}
"""Routes that know a signature, and no caller."""


@dataclass(frozen=True)
class Ask:
    """A request: to which route, with which names in its path, and as whom (`pilot`, `job`, or nobody)."""

    route: str
    names: Mapping[str, Any]
    query: Mapping[str, Any]
    body: Any
    form: Mapping[str, Any] | None
    account: str | None
    vo: str | None = None
    """The VO of who asks, when it is not the one the request is about."""

    @property
    def path(self) -> str:
        """The path with its names filled in, each escaped but for the slashes of a DID or key."""
        path = self.route.partition(" ")[2]
        for name, value in self.names.items():
            path = path.replace(f"{{{name}:path}}", quote(str(value), safe="/:"))
            path = path.replace(f"{{{name}}}", quote(str(value), safe=""))
        return path

    async def send(self, filled: Filled, **more: Any) -> httpx2.Response:
        """Send it as somebody of a VO; `more` replaces what is sent."""
        headers = dict(more.pop("headers", {}))
        if self.account is not None:
            headers["authorization"] = f"Bearer {self.token(filled)}"
        sent: dict[str, Any] = {"params": self.query}
        if self.form is not None:
            sent["data"] = self.form
        elif self.body is not None:
            sent["json"] = self.body
        if "content" in more:
            sent.pop("json", None)
            sent.pop("data", None)
        url = f"/v1{more.pop('path', self.path)}"
        return await filled.served.client.request(self.route.partition(" ")[0], url, headers=headers, **sent | more)

    def token(self, filled: Filled) -> str:
        """The token of whom it is sent as."""
        assert self.account is not None
        machines = {"pilot": filled.pilot.token, "job": filled.job}
        return machines.get(self.account) or filled.served.token(self.vo or filled.vo, self.account)

    def with_names(self, **names: Any) -> "Ask":
        """The same about another thing."""
        return replace(self, names={**self.names, **names})


def ask(
    route: str, account: str | None = "alice", *, body: Any = None, form: Mapping[str, Any] | None = None,
    query: Mapping[str, Any] | None = None, **names: Any,
) -> Ask:  # fmt: skip
    """A request to a route."""
    return Ask(route=route, names=names, query=query or {}, body=body, form=form, account=account)


def good(filled: Filled) -> dict[str, Ask]:
    """A good request for every route, by route, about the things of a VO."""
    parts = (_configuration, _identity, _decisions, _topology, _explained, _data, _rules_and_uploads, _jobs, _pilots)
    return {one.route: one for part in parts for one in part(filled)}


def _configuration(filled: Filled) -> Iterator[Ask]:
    document = {"kind": "Account", "name": "dave", "vo": filled.vo, "spec": {"groups": ["users"]}, "remove": False}
    apply = {"documents": [document], "dry_run": False, "comment": "one more"}
    version = filled.ids["version"]
    yield ask("POST /configuration/apply", "root", body=apply)
    yield ask("POST /configuration/rollback", "root", body={"version": version, "dry_run": True})
    yield ask("GET /configuration", "root", query={"kind": "Account"})
    yield ask("GET /configuration/versions", "root", query={"before": version + 1, "limit": 10})
    yield ask("GET /configuration/versions/{version}", "root", version=version)
    yield ask("GET /client-settings")
    yield ask("GET /programs")
    beat = {"name": "importer", "host": "vobox.example.org", "pid": 7, "thread": "one", "detail": "reads"}
    yield ask("POST /programs", "root", body=beat)
    used = {"account": "alice", "rse": f"{filled.own}-DISK", "before": "2100-01-01", "limit": 10}
    yield ask("GET /usage/history", query=used)
    yield ask("GET /vos")
    yield ask("GET /vos/{name}/check", "root", name=filled.vo)
    new: dict[str, Any] = {
        "name": "newcomer", "alias": "nxt", "share": 1, "passwords": True, "admin": "ada", "email": "ada@example.org",
        "groups": {"makers": {"permissions": ["jobs:create"], "share": 1}}, "scopes": ["mc"],
        "quotas": {"total": {"account": "ada", "rse_expression": "*", "size": 1}},
        "grants": [{"kind": "RSE", "name": "A-DISK"}],
        "providers": {
            "login": {
                "issuer": "https://iam.example.org/", "title": "IAM", "plugin": "oidc", "members": ["/a"],
                "groups": {"/a": "makers"}, "settings": {"client_id": "sancho"},
            }
        },
    }  # fmt: skip
    yield replace(ask("POST /vos", "root", body=new), vo="instance")


def _identity(filled: Filled) -> Iterator[Ask]:
    vo = {"vo": filled.vo}
    password = {"password": "something else", "current_password": f"{PASSWORD} {filled.vo}"}
    form = {"grant_type": "password", "vo": filled.vo, "username": "carol", "password": f"{PASSWORD} {filled.vo}"}
    yield ask("POST /auth/token", None, form=form)
    yield ask("POST /auth/revoke", None, form={"token": "sr-1-" + "x" * 43})
    yield ask("GET /whoami")
    yield ask("GET /accounts", query={"after": "a", "limit": 10, **vo})
    yield ask("GET /accounts/{name}", name="carol", query=vo)
    said = {"attributes": {"country": "AT", "office": None}}
    yield ask("PATCH /accounts/{name}", "root", name="carol", query=vo, body=said)
    yield ask("POST /accounts/{name}/suspend", "root", name="carol", query=vo)
    yield ask("POST /accounts/{name}/activate", "root", name="carol", query=vo)
    yield ask("POST /accounts/{name}/password", "root", name="carol", query=vo, body=password)
    yield ask("POST /accounts/{name}/export", "root", name="carol", query=vo)
    yield ask("POST /accounts/{name}/erase", "root", name="leaver", query=vo)
    yield ask("GET /groups", query=vo)
    yield ask("POST /accounts/{name}/secret", "root", name="robot", query=vo)
    yield ask("GET /accounts/{name}/identities", "root", name="carol", query=vo)
    yield ask("GET /identities", "root", query={"subject": "/DC=org/CN=Carol", **vo})
    key = {"kind": "ssh_key", "subject": SSH_KEY}
    yield ask("POST /accounts/{name}/identities", "root", name="carol", query=vo, body=key)
    yield ask("DELETE /accounts/{name}/identities", "root", name="carol", query={"subject": SSH_PRINT, **vo})
    yield ask("GET /auth/userinfo")
    yield ask("GET /auth/logins", query={"everybody": True})
    yield ask("DELETE /auth/logins/{login_id}", "root", login_id=filled.names["login"])
    yield ask("POST /auth/introspect", form={"token": "x"})


def _decisions(filled: Filled) -> Iterator[Ask]:
    """What was decided."""
    yield ask("GET /can", "root", query={"permission": "rules:create", "account": "carol", "on": "mc:raw/1"})
    since = {"since": "2020-01-01T00:00:00Z", "until": "2100-01-01T00:00:00Z"}
    wanted = {"account": "alice", "permission": "jobs:create", "allowed": True, "on": "mc:", "cursor": 10**9}
    yield ask("GET /audit", "root", query={**since, **wanted, "limit": 10, "vo": filled.vo})
    yield ask("GET /audit/verify", "root", query={"head": f"1:{'0' * 64}", "vo": filled.vo})


def _topology(filled: Filled) -> Iterator[Ask]:
    yield ask("GET /sites")
    yield ask("GET /sites/{name}", name="SITE-A")
    yield ask("GET /ces")
    yield ask("GET /ces/{name}", name=f"{filled.own}-CE")
    yield ask("GET /rses")
    yield ask("GET /rses:resolve", query={"expression": f"{filled.own}-DISK"})
    yield ask("GET /rses/{name}", name=f"{filled.own}-DISK")
    yield ask("GET /rses/{name}/usage", name=f"{filled.own}-DISK")
    yield ask("GET /rses/{name}/locks", name=f"{filled.own}-DISK")
    said = {"source": "srm", "used": 10**12, "free": 10**13, "files": 1000}
    yield replace(ask("POST /rses/{name}/reports", "root", name="A-DISK", body=said), vo="instance")
    old = {"source": "srm", "before": "2100-01-01T00:00:00Z", "limit": 10}
    yield ask("GET /rses/{name}/reports", name=f"{filled.own}-DISK", query=old)
    since = {"by": ["account", "day"], "since": "2020-01-01T00:00:00Z", "until": "2100-01-01T00:00:00Z"}
    yield ask("GET /accounting", query=since)


def _data(filled: Filled) -> Iterator[Ask]:
    yield ask(
        "GET /dids",
        query={
            "scope": "mc", "prefix": "r", "kind": "file", "cursor": "1", "limit": 10, "inherit": True,
            "where": "size > 1 & job.site = SITE-A", "within": "mc:raw", "newest": False,
        },
    )  # fmt: skip
    new = {"did": "mc:new", "kind": "dataset", "monotonic": False, "lifetime": "1 d"}
    yield ask("POST /dids", body=new)
    yield ask("POST /dids/erase", body={"dids": ["mc:mine"], "after": "1 d"})
    yield ask("POST /dids/restore", body={"dids": ["mc:mine"]})
    yield from _kept(filled)
    yield ask("POST /collections", body={"collections": [{**new, "did": "mc:newer", "children": ["mc:raw/1"]}]})
    many = {"attachments": [{"parent": "mc:box", "children": ["mc:mine"]}], "again": True}
    yield ask("POST /attachments/many", body=many)
    yield ask("POST /tallies", body={"dids": ["mc:raw"]})
    yield ask("GET /files/{did:path}", did="mc:raw", query={"as_of": "2026-01-01T00:00:00Z"})
    for lines in ("below", "parents", "history"):
        yield ask(f"GET /{lines}/{{did:path}}", did="mc:raw")
    yield ask("PATCH /scopes/{name}", "root", name="mc", body={"account": "root", "shared": True})
    yield ask("GET /dids/{did:path}", did="mc:raw/1")
    yield ask("GET /paths", query={"sizes": True, "cursor": "a", "limit": 10})
    yield ask("GET /paths/{path:path}", query={"sizes": True, "cursor": "a", "limit": 10}, path=f"{filled.vo}/mc/raw")
    yield ask("PATCH /dids/{did:path}", did="mc:mine", body={"open": True, "monotonic": None, "lifetime": "1 d"})
    yield ask("POST /attachments", body={"parent": "mc:box", "children": ["mc:mine"]})
    yield ask("POST /attachments/remove", body={"parent": "mc:box", "children": ["mc:mine"]})
    as_of = "2026-01-01T00:00:00Z"
    yield from _packed()
    yield ask("GET /contents/{did:path}", did="mc:raw", query={"cursor": 0, "limit": 10, "as_of": as_of})
    yield ask("GET /scopes")
    yield ask("POST /scopes", "root", body={"name": "more", "shared": True})
    file = {"did": "mc:new/1", "size": 1, "adler32": ADLER, "path": f"/{filled.vo}/old/new.1", "guid": f"{3:032x}"}
    yield ask("POST /replicas", "root", body={"rse": f"{filled.own}-DISK", "files": [file], "dataset": "mc:news"})
    yield ask("POST /replicas/list", body={"dids": ["mc:raw", "mc:mine"]})
    yield ask("POST /replicas/access", body={"dids": ["mc:raw"], "cursor": 0, "limit": 10, "near": "SITE-A"})
    yield ask("GET /replicas/{did:path}", did="mc:raw")
    dark = {"rse": f"{filled.own}-DISK", "files": [f"/{filled.vo}/mc/lost"], "reason": "r"}
    yield ask("POST /replicas/dark", "root", body=dark)
    urls = {
        "rse": f"{filled.own}-DISK",
        "urls": [f"https://{filled.vo}.test/{filled.vo}/mc/x"],
        "write": False,
        "lifetime": 60,
    }
    yield ask("POST /replicas/signed-urls", body=urls)
    said = {"kind": "unavailable", "replicas": ["mc:raw/1@B-DISK"], "reason": "r"}
    yield ask("POST /replicas/declarations", "root", body=said | {"until": "2100-01-01T00:00:00Z"})
    query = {"kind": "bad", "state": "standing", "did": "mc:raw/1", "rse": "A-DISK", "cursor": 10**6, "limit": 10}
    yield ask("GET /replicas/declarations", query=query)
    yield ask("GET /shared")
    page = {"cursor": 0, "limit": 10}
    yield ask("GET /shared/contents/{vo}/{did:path}", vo=filled.vo, did="mc:raw", query=page)
    yield ask("GET /shared/replicas/{vo}/{did:path}", vo=filled.vo, did="mc:raw")
    yield ask("GET /shared/access/{vo}/{did:path}", vo=filled.vo, did="mc:raw", query=page)
    yield from _metadata(filled)
    yield ask("GET /transfers", query={"state": "waiting", "rse": "B-DISK", "cursor": 0, "limit": 10})


def _kept(filled: Filled) -> Iterator[Ask]:
    path, wish = "/lifetime-exceptions", {"dids": ["mc:mine"], "until": "2100-01-01T00:00:00Z", "reason": "r"}
    yield ask(f"POST {path}", body=wish)
    query = {"state": "waiting", "account": "alice", "did": "mc:mine", "cursor": 10**6, "limit": 10}
    yield ask(f"GET {path}", query=query)
    yield ask(f"GET {path}/{{exception_id}}", exception_id=filled.ids["exception"])
    for verb, name in (("approve", "exception"), ("reject", "exception_to_reject")):
        said = {"answer": "a"}
        yield ask(f"POST {path}/{{exception_id}}/{verb}", "root", exception_id=filled.ids[name], body=said)


def _packed() -> Iterator[Ask]:
    packed = {"did": "mc:arc/2", "size": 1, "adler32": ADLER, "guid": f"{2:032x}"}
    yield ask("POST /archives", "root", body={"archives": [{"archive": "mc:arc.zip", "files": [packed]}]})
    yield ask("POST /archives/remove", "root", body={"archive": "mc:arc.zip", "files": ["mc:arc/1"]})
    yield ask("GET /archives/{did:path}", did="mc:arc.zip")
    yield ask("GET /archives-of/{did:path}", did="mc:arc/1")
    yield ask("GET /guids/{guid}", guid=f"{1:032x}")
    yield ask("POST /samples", body={"source": "mc:raw", "dataset": "mc:few", "files": 1})


def _metadata(filled: Filled) -> Iterator[Ask]:
    yield ask("GET /metadata/keys")
    yield ask("POST /metadata", body={"dids": [{"did": "mc:mine", "metadata": {"run": 7, "detector": ["ecl"]}}]})
    yield ask("POST /metadata/list", body={"dids": ["mc:raw"], "inherit": True})
    yield ask("GET /metadata/of/{did:path}", did="mc:raw", query={"inherit": True})
    yield ask("POST /smart", body={"did": "mc:follows", "where": "run > 1000", "scope": "mc"})
    yield ask("GET /smart/{did:path}", did="mc:smart")
    yield ask("POST /smart/refresh", body={"did": "mc:smart"})
    yield ask("POST /smart/freeze", body={"did": "mc:smart"})


def _rules_and_uploads(filled: Filled) -> Iterator[Ask]:
    rule = {
        "did": "mc:raw", "copies": 1, "rse_expression": "B-DISK", "lifetime": "1 d", "activity": "test", "comment": "c",
        "ask_approval": False,
    }  # fmt: skip
    yield ask("POST /rules", body=rule)
    query = {"did": "mc:raw", "account": "alice", "state": "replicating", "cursor": 10**6, "limit": 10}
    yield ask("GET /rules", query=query)
    yield ask("GET /rules/{rule_id}", rule_id=filled.ids["rule"])
    yield ask("GET /rules/{rule_id}/locks", rule_id=filled.ids["rule"], query={"cursor": "0.0", "limit": 10})
    change = {"lifetime": "2 d", "comment": "c", "activity": "a", "locked": False, "account": "alice"}
    yield ask("PATCH /rules/{rule_id}", rule_id=filled.ids["rule"], body=change)
    page = {"cursor": 0, "limit": 10}
    yield ask("GET /rules/history", query={"did": "mc:raw", **page})
    yield ask("GET /rules/{rule_id}/history", rule_id=filled.ids["rule"], query=page)
    yield ask("POST /rules/{rule_id}/retry", rule_id=filled.ids["rule"])
    yield ask("POST /rules/{rule_id}/approve", "root", rule_id=filled.ids["rule_waiting"])
    yield ask("POST /rules/{rule_id}/deny", "root", rule_id=filled.ids["rule_denied"], body={"reason": "r"})
    move = {"rse_expression": f"{filled.own}-DISK", "copies": 1, "lifetime": 60, "activity": "a", "comment": "c"}
    yield ask("POST /rules/{rule_id}/move", rule_id=filled.ids["rule"], body=move)
    fewer = {"copies": 1, "exclude": f"{filled.own}-DISK"}
    yield ask("POST /rules/{rule_id}/reduce", rule_id=filled.ids["rule"], body=fewer)
    yield ask("DELETE /rules/{rule_id}", rule_id=filled.ids["rule"])
    yield ask("POST /rules/withdraw", body={"did": "mc:raw"})
    yield ask("GET /quotas", query={"account": "carol", "cursor": "a", "limit": 10})
    yield ask("GET /usage", query={"account": "alice", "cursor": "0.0", "limit": 10})
    file = {
        "did": "mc:up/new", "size": 400, "adler32": ADLER, "dataset": "mc:mine", "rse": f"{filled.own}-DISK"
    }  # fmt: skip
    wish = {"copies": 1, "rse_expression": "*", "lifetime": "1 d"}
    yield ask("POST /uploads", body={"files": [file], "rule": wish})
    yield ask("POST /uploads/commit", body={"intents": [filled.ids["upload_there"]]})
    yield ask("POST /uploads/cancel", body={"intents": [filled.ids["upload_open"]]})
    yield ask("GET /uploads")


def _jobs(filled: Filled) -> Iterator[Ask]:
    more: dict[str, Any] = {
        "environment": {"A": "b"}, "sandbox": SHA256, "close_datasets": True, "output_sandbox": ["*.log"],
        "max_attempts": 2, "retry": {"site": 1, "data": 1, "job": 1}, "priority": 1,
        "type": "simulation", "job_group": "spring",
        "requirements": {
            "cores": 1, "max_cores": 4096, "memory": "1 MB", "memory_per_core": "1 MB", "memory_limit": "2 GB",
            "walltime": "1 min", "cpu_work": 1000.0, "scratch": 0, "io": 0, "system": None, "architecture": None,
            "min_microarchitecture": None, "max_microarchitecture": None, "gpus": None,
            "tags": ["env:demo", "env:demo | ~site:SITE-B"], "sites": ["SITE-A"], "banned_sites": ["SITE-B"],
        },
    }  # fmt: skip
    # What no CE of this world has; so each of these may be spoilt without the job becoming one that can run.
    gpus = {"count": 1, "vendor": "nvidia", "memory": "8 GB", "min_capability": "7.5", "max_capability": "9.0"}
    more["alternatives"] = [{
        **more["requirements"], "scratch": "1 GB", "io": "1 MB", "system": "linux", "architecture": "x86_64",
        "min_microarchitecture": 2, "max_microarchitecture": 4, "gpus": gpus,
    }]  # fmt: skip
    said, changes = (description(name, **more) for name in ("new", "again"))
    for one in (said, changes):
        one["outputs"][0]["rule"]["lifetime"] = "1 d"
        one["outputs"][0]["dataset"] = "mc:new_out"
    yield ask(
        "POST /jobs",
        body={"description": said, "parameters": [{"seed": 1}], "idempotency_key": "key-good", "anyway": False},
    )
    query = {
        "state": ["waiting"], "name": "waiting", "mine": True, "submission": filled.ids["submission_waiting"],
        "cursor": "1000000", "limit": 10, "where": "param.HostName = wn1 & site exists", "sort": "-id",
        "columns": ["site", "param.HostName"],
    }  # fmt: skip
    yield ask("GET /jobs", query=query)
    counted = {"submission": filled.ids["submission_waiting"], "where": "state = waiting", "by": ["state", "site"]}
    yield ask("GET /jobs/summary", query=counted)
    said = [{"job_id": filled.ids["job_waiting"], "parameters": {"HostName": "wn2", "events": 5, "gone": None}}]
    yield ask("PATCH /jobs/parameters", body={"jobs": said})
    said = {"at": "2026-01-01T00:00:00Z", "source": "wrapper", "minor": "Staging in", "application": "event 7"}
    yield ask("PATCH /jobs/statuses", body={"statuses": [{"job_id": filled.ids["job_waiting"], **said}]})
    signs = {"load": 1.5, "memory": 10, "virtual": 20, "disk": 30, "cpu": 1.5, "wall": 2.5, "tail": "hello"}
    sign = {"job_id": filled.ids["job_waiting"], **signs}
    yield ask("PATCH /jobs/heartbeats", body={"beats": [sign], "acknowledged": [1]})
    yield ask("PATCH /job/status", "job", body=said)
    yield ask("PATCH /job/heartbeat", "job", body=signs)
    yield ask("GET /jobs/views")
    view = {"where": "state = failed", "sort": "-changed_at", "columns": ["error"]}
    yield ask("PUT /jobs/views/{name}", name="mine", body=view)
    yield ask("DELETE /jobs/views/{name}", name=f"view-{filled.vo}")
    search: dict[str, Any] = {"where": None, "cursor": None}
    yield ask("POST /jobs/kill", body={"job_ids": [filled.ids["job_waiting"]], **search})
    yield ask("POST /jobs/hold", body={"job_ids": [filled.ids["job_waiting"]], **search})
    yield ask("POST /jobs/release", body={"job_ids": [filled.ids["job_held"]], **search})
    killed = [filled.ids["job_killed"]]
    yield ask("POST /jobs/reschedule", body={"job_ids": killed, "force": False, "anew": False, **search})
    yield ask("POST /jobs/clone", body={"job_ids": killed, "changes": changes, "parameters": {"seed": 2}})
    yield ask("POST /jobs/producers", body={"dids": ["mc:done_1"]})
    yield ask("GET /jobs/{job_id}", job_id=filled.ids["job_running"])
    yield ask("GET /jobs/{job_id}/log", job_id=filled.ids["job_running"], query={"attempt": 1, "follow": True})
    yield ask("GET /jobs/{job_id}/sandbox", job_id=filled.ids["job_done"])
    yield ask("POST /sandboxes", body={"sha256": "0" * 64, "size": 10})
    put = {"expires": 1, "signature": "0" * 64, "size": 1}
    yield ask("GET /objects/{key:path}", None, key="sandboxes/1/x", query=put)
    yield ask("PUT /objects/{key:path}", None, key="sandboxes/1/x", query=put)
    yield ask("POST /objects/{key:path}", None, key="sandboxes/1/x", query=put)


def _pilots(filled: Filled) -> Iterator[Ask]:
    attempt = filled.ids["attempt_running"]
    sign = {
        "attempt_id": attempt, "state": "running", "at": "2026-01-01T00:00:00Z", "log_size": 10, "tail": "hello",
        "cpu_seconds": 1.5, "memory": 10,
    }  # fmt: skip
    finish = {
        "outcome": "done", "exit_code": 0, "reason": None, "detail": "well", "intents": [filled.ids["intent_running"]],
        "usage": {"wall_seconds": 1, "cpu_seconds": 1, "max_memory": 10}, "tail": "x", "log_size": 1, "sandbox": SHA256,
    }  # fmt: skip
    made = {"number": 0, "size": len(CONTENT), "adler32": ADLER}
    yield ask("POST /pilot/login", None, body={"stamp": filled.pilot.stamp, "secret": filled.pilot.secret})
    yield ask("POST /pilot/match", "pilot", body=OFFER | {"held": [attempt], "answered": True})
    yield ask("GET /pilot/attempts/{attempt_id}", "pilot", attempt_id=attempt)
    yield ask("POST /pilot/beat", "pilot", body={"beats": [sign], "acknowledged": [1]})
    yield ask("POST /pilot/attempts/{attempt_id}/start", "pilot", attempt_id=attempt)
    yield ask("POST /pilot/attempts/{attempt_id}/outputs", "pilot", attempt_id=attempt, body={"outputs": [made]})
    yield ask("GET /job", "job")
    yield ask("GET /job/inputs", "job")
    yield ask("PATCH /job/parameters", "job", body={"parameters": {"events": 7}})
    yield ask("POST /job/outputs", "job", body={"outputs": [made]})
    box = {"size": 3, "sha256": "1" * 64}
    yield ask("POST /pilot/attempts/{attempt_id}/sandbox", "pilot", attempt_id=attempt, body=box)
    yield ask("POST /pilot/attempts/{attempt_id}/finish", "pilot", attempt_id=attempt, body=finish)
    yield ask("POST /pilot/retire", "pilot", body={"reason": "slot ends"})
    yield ask("GET /pilots", "root", query={"alive": True, "cursor": 10**6, "limit": 10})


def _explained(filled: Filled) -> Iterator[Ask]:
    """What is explained."""
    yield ask("GET /explain/job/{job_id}", job_id=filled.ids["job_waiting"])
    yield ask("GET /explain/rule/{rule_id}", rule_id=filled.ids["rule"])
    yield ask("GET /explain/pilot/{pilot_id}", "root", pilot_id=filled.ids["pilot"])
    yield ask("GET /explain/file/{did:path}", did="mc:raw/1")
