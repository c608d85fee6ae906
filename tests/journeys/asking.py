"""A good request for every native route, with every field that it may have: tests spoil them, or change who asks."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from fastapi.routing import APIRoute

from sancho.app import ROUTERS
from tests.journeys.ask import Ask, ask
from tests.journeys.asking_jobs import jobs, pilots
from tests.journeys.given import (
    ADLER,
    PASSWORD,
    SSH_KEY,
    SSH_PRINT,
    Filled,
)

NATIVE = {
    f"{method} {route.path.removeprefix('/v1')}": route
    for router in ROUTERS for route in router.routes if isinstance(route, APIRoute) for method in route.methods or ()
}  # fmt: skip
"""Every native route by `METHOD /path`, its path below /v1."""
PUBLIC = {
    "GET /public/{vo}/dids", "GET /public/{vo}/dids/{did:path}", "GET /public/{vo}/files/{did:path}"
}  # fmt: skip
"""Routes that give to anybody what a VO has made public."""
PRESIGNED = {"GET /objects/{key:path}", "PUT /objects/{key:path}", "POST /objects/{key:path}"}
"""Routes that know a signature, and no caller."""


def good(filled: Filled) -> dict[str, Ask]:
    """A good request for every route, by route, about the things of a VO."""
    parts = (_configuration, _identity, _decisions, _topology, _explained, _data, _rules_and_uploads, jobs, pilots)
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
    yield ask("GET /page/extensions")
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
    yield ask("GET /rses:usage")
    yield ask("GET /downtimes", query={"since": "2100-01-01T00:00:00Z", "cursor": 10**9, "limit": 10})
    down = {
        "kind": "RSE", "name": f"{filled.own}-DISK", "begins_at": "2100-01-01T00:00:00Z",
        "ends_at": "2100-01-02T00:00:00Z", "reason": "new cooling",
    }  # fmt: skip
    yield replace(ask("POST /downtimes", "root", body=down), vo="instance")
    announced = ask("POST /downtimes/{downtime_id}/end", "root", downtime_id=filled.ids["downtime"])
    yield replace(announced, vo="instance")
    yield ask("GET /transfers/links", query={"hours": 1})
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
    yield from _published_and_followed(filled)
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
    file |= {"tape": "L1", "position": 3, "md5": f"{3:032x}"}
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


def _published_and_followed(filled: Filled) -> Iterator[Ask]:
    yield ask("POST /dids/follow", body={"dids": ["mc:mine"]})
    yield ask("POST /dids/unfollow", body={"dids": ["mc:mine"]})
    yield ask("GET /dids/followed", query={"since": "2020-01-01T00:00:00Z", "cursor": 0, "limit": 10})
    yield ask("GET /followers/{did:path}", did="mc:raw")
    page = {"cursor": 0, "limit": 10}
    yield ask("POST /publications", "root", body={"did": "mc:box"})
    yield ask("GET /publications", query={"state": "public", **page})
    yield ask("GET /publications/{did:path}", did="mc:raw")
    change = {"state": "draft", "doi": "10.1234/mine", "record_id": 8, "about": {"title": "t"}}
    yield ask("PATCH /publications/{did:path}", "root", did="mc:mine", body=change)
    yield ask("DELETE /publications/{did:path}", "root", did="mc:mine")
    yield ask("GET /public/{vo}/dids", None, vo=filled.vo, query=page)
    yield ask("GET /public/{vo}/dids/{did:path}", None, vo=filled.vo, did="mc:raw")
    yield ask("GET /public/{vo}/files/{did:path}", None, vo=filled.vo, did="mc:raw", query=page)


def _packed() -> Iterator[Ask]:
    packed = {"did": "mc:arc/2", "size": 1, "adler32": ADLER, "guid": f"{2:032x}", "md5": f"{2:032x}"}
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
    yield ask("POST /rules/preview", body=rule)
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


def _explained(filled: Filled) -> Iterator[Ask]:
    """What is explained."""
    yield ask("GET /explain/job/{job_id}", job_id=filled.ids["job_waiting"])
    yield ask("GET /explain/rule/{rule_id}", rule_id=filled.ids["rule"])
    yield ask("GET /explain/pilot/{pilot_id}", "root", pilot_id=filled.ids["pilot"])
    yield ask("GET /explain/file/{did:path}", did="mc:raw/1")
