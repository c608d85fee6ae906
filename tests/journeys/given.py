"""A grid in which everything exists, twice: VOs belle and gridpp with things of the same names, and a pilot each.

Each VO has, besides the world's: CE and RSE of its own at SITE-A, a quota, files in a dataset in a container, a rule,
uploads under way, jobs that wait, are held, run, were put back and killed, and are done, a sandbox, and a login. All
made through the API.
"""

import hashlib
import secrets
import zlib
from dataclasses import dataclass, field
from typing import Any

from sancho.decisions import service as decisions
from sancho.jobs import service as jobs
from sancho.kit.db import all_vos, execute
from sancho.matching import service as matching
from sancho.rules import service as rules
from tests.journeys.contents import Contents
from tests.served import Served

PASSWORD = "correct horse battery"
CONTENT = b"ROOT" * 100
ADLER = f"{zlib.adler32(CONTENT):08x}"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
SSH_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKGr25ldhuzfMshQo4M9MU7GHGcaCYuw5ZLt2dEYat9R carol"
SSH_PRINT = "SHA256:5TLQboSE6ShRF2usgVmHPhdZrggHqQgyDBFwGEsioOQ"
OFFER = {"cores": 1, "memory": 2_000_000_000, "walltime": 3600.0, "tags": ["env:demo"], "held": []}


@dataclass
class Pilot:
    """A pilot played by a test: how it proves itself."""

    stamp: str
    secret: str
    token: str = ""
    first: str = ""
    """The secret that its CE was given."""


@dataclass
class Filled:
    """One VO of the grid: the numbers of its things by name, and its pilot."""

    served: Served
    vo: str
    ids: dict[str, int] = field(default_factory=dict[str, int])
    names: dict[str, str] = field(default_factory=dict[str, str])
    pilot: Pilot = field(default_factory=lambda: Pilot("", ""))
    job: str = ""
    """The token of the job that runs."""
    secrets: set[str] = field(default_factory=set[str])
    """What must never be shown to another VO, nor written into a log."""

    @property
    def own(self) -> str:
        """The name of the VO's own CE and RSE begins so."""
        return self.vo.upper()

    async def ask(self, method: str, path: str, body: Any = None, *, account: str = "alice", status: int = 200) -> Any:
        """Send a request that must succeed; return what is answered."""
        answer = await self.served.send(method, path, vo=self.vo, account=account, json=body)
        return _checked(answer, method, path, status)

    async def report(self, path: str, body: Any = None, *, status: int = 200) -> Any:
        """Send a report of the pilot, which must be taken."""
        answer = await self.served.send("POST", f"/pilot{path}", token=self.pilot.token, json=body or {})
        return _checked(answer, "POST", path, status)


def _checked(answer: Any, method: str, path: str, status: int) -> Any:
    assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
    return answer.json() if answer.content else None


async def fill(served: Served, owner_url: str) -> dict[str, Filled]:
    """Make everything in both VOs."""
    both = {vo: Filled(served, vo) for vo in ("belle", "gridpp")}
    await _make_resources(served, list(both))
    served.world = type(served.world).read(owner_url)
    for filled in both.values():
        await _make_downtime(filled)
        await _make_accounts(filled)
        await _make_data(filled)
        await _make_uploads(filled)
        await _make_pilot(filled)
        await _make_jobs(filled)
    await rules.record_usage(served.deployment)
    await decisions.seal(served.deployment)
    async with served.deployment.database.transaction(await all_vos(served.deployment.database)) as conn:
        await matching.average(conn)
        [await jobs.want_inputs(conn, vo) for vo in (1, 2)]
    return both


async def _make_resources(served: Served, vos: list[str]) -> None:
    documents: list[dict[str, Any]] = []
    for vo in vos:
        own = vo.upper()
        folder = served.storages["A-DISK"].with_name(f"{own}-DISK")
        folder.mkdir()
        served.storages[f"{own}-DISK"] = folder
        rse: dict[str, Any] = {"site": "SITE-A", "plugin": "posix", "prefix": f"file://{folder}"}
        rse["settings"] = {"roots": [str(folder)]}
        signing = {"plugin": "webdav", "prefix": f"https://{vo}.test", "settings": {"signed_urls": True}}
        rse["protocols"] = [signing | {"domains": {"wan": {"read": 9}}}]
        ce: dict[str, Any] = {"site": "SITE-A", "plugin": "local", "max_pilots": 0, "tags": ["env:demo"]}
        ce["settings"] = {"folder": str(folder / "ce")}
        documents += [
            {"kind": "RSE", "name": f"{own}-DISK", "spec": rse},
            {"kind": "ComputeElement", "name": f"{own}-CE", "spec": ce},
            _grant("RSE", f"{own}-DISK", vo),
            _grant("ComputeElement", f"{own}-CE", vo),
        ]
    answer = await served.send(
        "POST", "/configuration/apply", vo="instance", account="root", json={"documents": documents}
    )
    _checked(answer, "POST", "/configuration/apply", 200)


async def _make_downtime(filled: Filled) -> None:
    body = {"kind": "RSE", "name": f"{filled.own}-DISK", "begins_at": "2100-01-01T00:00:00Z", "reason": filled.vo}
    answer = await filled.served.send("POST", "/downtimes", vo="instance", account="root", json=body)
    filled.ids["downtime"] = _checked(answer, "POST", "/downtimes", 201)["downtime_id"]


def _grant(kind: str, name: str, vo: str) -> dict[str, Any]:
    return {"kind": "Grant", "name": name, "spec": {"resource": {"kind": kind, "name": name}, "to": [vo]}}


async def _make_accounts(filled: Filled) -> None:
    documents = [
        {"kind": "Account", "name": "carol", "spec": {"email": f"carol@{filled.vo}.org", "groups": ["users"]}},
        {
            "kind": "Policy",
            "name": "frozen",
            "spec": {"effect": "deny", "permissions": ["rules:create"], "things": ["mc:frozen"], "reason": "frozen"},
        },
        {"kind": "Account", "name": "leaver", "spec": {"groups": ["users"]}},
        {"kind": "Account", "name": "robot", "spec": {"kind": "service", "groups": ["users"]}},
        {
            "kind": "IdentityProvider",
            "name": "iam",
            "spec": {"issuer": f"https://iam.{filled.vo}.example", "settings": {"client_id": "sancho"}},
        },
        {"kind": "Quota", "name": "small", "spec": {"account": "carol", "rse_expression": "*", "size": "1 kB"}},
        {"kind": "Quota", "name": "whole", "spec": {"rse_expression": "*", "size": "1 PB"}},
        {"kind": "RunningLimit", "name": f"of-{filled.vo}", "spec": {"most": 1000, "group": "users"}},
        {"kind": "RankWeights", "name": "default", "spec": {"hour": 1, "money": 2}},
        {"kind": "DataPlacement", "name": "default", "spec": {"most": "1 GB"}},
        {"kind": "NameSchema", "name": "container", "spec": {"pattern": ".+", "example": f"of-{filled.vo}"}},
    ]
    for name, kind in (("run", "integer"), ("detector", "texts"), (f"of_{filled.vo}", "text")):
        documents.append({"kind": "MetadataKey", "name": name, "spec": {"kind": kind}})
    body = {"documents": documents, "comment": f"of {filled.vo}"}
    made = await filled.ask("POST", "/configuration/apply", body, account="root")
    filled.ids["version"] = made["version"]
    beat = {"name": f"importer-of-{filled.vo}", "host": "vobox", "pid": 7}
    await filled.ask("POST", "/programs", beat, account="root", status=204)
    settings = {"kind": "ClientSettings", "name": f"of-{filled.vo}", "spec": {"options": {"threads": 4}}}
    await filled.ask("POST", "/configuration/apply", {"documents": [settings]}, account="root")
    password = {"password": f"{PASSWORD} {filled.vo}"}
    await filled.ask("POST", "/accounts/carol/password", password, account="root", status=204)
    form = {"grant_type": "password", "vo": filled.vo, "username": "carol", "password": password["password"]}
    tokens = _checked(await filled.served.client.post("/v1/auth/token", data=form), "POST", "/auth/token", 200)
    filled.secrets |= {password["password"], tokens["access_token"], tokens["refresh_token"]}
    logins = await filled.ask("GET", "/auth/logins?everybody=true", account="root")
    filled.names["login"] = logins[0]["login_id"]
    for _ in range(2):  # of the second one the access token is void before its end
        tokens = _checked(await filled.served.client.post("/v1/auth/token", data=form), "POST", "/auth/token", 200)
        filled.secrets |= {tokens["access_token"], tokens["refresh_token"]}
    void = {"token": tokens["access_token"]}
    _checked(await filled.served.client.post("/v1/auth/revoke", data=void), "POST", "/auth/revoke", 200)
    begun = await filled.served.client.post("/v1/auth/device_authorization", data={"vo": filled.vo})
    filled.secrets |= {begun.json()["device_code"], begun.json()["user_code"]}
    made = await filled.ask("POST", "/accounts/robot/secret", account="root")
    filled.secrets.add(made["client_secret"])
    key = {"kind": "ssh_key", "subject": SSH_KEY}
    await filled.ask("POST", "/accounts/carol/identities", key, account="root", status=201)


async def _make_data(filled: Filled) -> None:
    files = [{"did": f"mc:raw/{n}", "size": len(CONTENT), "adler32": ADLER} for n in (1, 2)]
    files[1] |= {"path": f"/{filled.vo}/old/raw.2", "tape": f"L{filled.vo}", "position": 2}
    disk = f"{filled.own}-DISK"
    body = {"rse": disk, "files": files, "dataset": "mc:raw"}
    await filled.ask("POST", "/replicas", body, account="root", status=201)
    await filled.ask("PATCH", "/dids/mc:raw", {"open": False}, account="root")
    body = {"rse": disk, "files": [{"did": "mc:arc.zip", "size": 100}]}
    await filled.ask("POST", "/replicas", body, account="root", status=201)
    packed = {"archive": "mc:arc.zip", "files": [{"did": "mc:arc/1", "size": 10, "guid": f"{1:032x}"}]}
    await filled.ask("POST", "/archives", {"archives": [packed]}, account="root")
    grant = {"kind": "DatasetGrant", "name": "mc:raw", "spec": {"to": [filled.vo]}}
    await filled.ask("POST", "/configuration/apply", {"documents": [grant]}, account="root")
    for did, kind in (("mc:mine", "dataset"), ("mc:box", "container")):
        await filled.ask("POST", "/dids", {"did": did, "kind": kind}, status=201)
    for path in ("/attachments", "/attachments/remove"):
        await filled.ask("POST", path, {"parent": "mc:box", "children": ["mc:mine"]}, status=204)
    await filled.ask("POST", "/dids/erase", {"dids": ["mc:mine"]})
    keep = {"dids": ["mc:mine", "mc:raw"], "until": "2100-01-01", "reason": f"of {filled.vo}"}
    for name in ("exception", "exception_to_reject"):
        made = await filled.ask("POST", "/lifetime-exceptions", keep, status=201)
        filled.ids[name] = made["exception_id"]
    await filled.ask("POST", "/dids/follow", {"dids": ["mc:raw"]}, status=204)
    about = {"state": "public", "doi": f"10.1234/{filled.vo}", "record_id": 7, "about": {"title": f"of {filled.vo}"}}
    for did in ("mc:raw", "mc:mine"):
        await filled.ask("POST", "/publications", {"did": did}, account="root", status=201)
    await filled.ask("PATCH", "/publications/mc:raw", about, account="root")
    await filled.ask("POST", "/attachments", {"parent": "mc:box", "children": ["mc:raw"]}, status=204)
    said = {"run": 1200, "detector": ["ecl", "top"], f"of_{filled.vo}": filled.vo}
    await filled.ask("POST", "/metadata", {"dids": [{"did": "mc:raw/1", "metadata": said}]}, account="root", status=204)
    await filled.ask("POST", "/smart", {"did": "mc:smart", "where": "run > 1000"})
    await filled.ask("POST", "/smart/refresh", {"did": "mc:smart"})
    rule = {"did": "mc:raw", "copies": 1, "rse_expression": "B-DISK", "comment": f"of {filled.vo}"}
    filled.ids["rule"] = (await filled.ask("POST", "/rules", rule, status=201))["rule_id"]
    waiting = rule | {"ask_approval": True}
    for name in ("rule_waiting", "rule_denied"):
        filled.ids[name] = (await filled.ask("POST", "/rules", waiting, status=201))["rule_id"]
    bad = {"kind": "suspicious", "replicas": [f"mc:raw/1@{filled.own}-DISK"], "reason": f"of {filled.vo}"}
    await filled.ask("POST", "/replicas/declarations", bad, account="root", status=201)
    dark = {"rse": f"{filled.own}-DISK", "files": [f"/{filled.vo}/mc/dark"], "reason": f"of {filled.vo}"}
    await filled.ask("POST", "/replicas/dark", dark, account="root", status=201)


async def _make_uploads(filled: Filled) -> None:
    disk = f"{filled.own}-DISK"
    files = [
        {"did": f"mc:up/{n}", "size": len(CONTENT), "adler32": ADLER, "rse": disk, "dataset": "mc:mine"}
        for n in ("committed", "there", "open", "cancelled")
    ]
    made = (await filled.ask("POST", "/uploads", {"files": files}, status=201))["uploads"]
    for upload in made[:2]:
        filled.served.put(upload["url"], CONTENT)
    filled.secrets |= {upload["token"] for upload in made}
    filled.ids |= {
        f"upload_{n}": upload["intent_id"]
        for n, upload in zip(("done", "there", "open", "cancelled"), made, strict=True)
    }
    await filled.ask("POST", "/uploads/commit", {"intents": [filled.ids["upload_done"]]})
    await filled.ask("POST", "/uploads/cancel", {"intents": [filled.ids["upload_cancelled"]]}, status=204)


async def _make_pilot(filled: Filled) -> None:
    secret = secrets.token_urlsafe(32)
    stamp = f"stamp-{filled.vo}"
    async with filled.served.deployment.database.transaction([0]) as conn:
        await execute(
            conn,
            "INSERT INTO pilot (vo, state, ce_id, site_id, stamp, secret_hash)"
            " VALUES (0, 'S', %(ce)s, %(site)s, %(stamp)s, %(hash)s)",
            {
                "ce": filled.served.world.resource[f"{filled.own}-CE"], "site": filled.served.world.resource["SITE-A"],
                "stamp": stamp, "hash": hashlib.sha256(secret.encode()).digest(),
            },
        )  # fmt: skip
    body = {"pilot_stamp": "theirs", "vo": filled.vo, "grid_site": f"of {filled.vo}"}
    root = {"authorization": f"Bearer {filled.served.token(filled.vo, 'root')}"}
    _checked(await filled.served.client.post("/api/pilots/", json=body, headers=root), "POST", "/api/pilots/", 201)
    login = await filled.served.client.post("/v1/pilot/login", json={"stamp": stamp, "secret": secret})
    said = _checked(login, "POST", "/pilot/login", 200)
    filled.pilot = Pilot(stamp, said["next_secret"], said["token"], secret)
    filled.secrets |= {secret, said["next_secret"], said["token"]}


def description(name: str, **more: Any) -> dict[str, Any]:
    """A job of the world, which reads `mc:raw` and promises a file in `mc:out` with a second copy."""
    return {
        "name": name, "command": ["simulate", "{number}"], "group": "users", "inputs": ["mc:raw"], "start_with": "100%",
        "requirements": {"memory": "1 MB", "tags": ["env:demo"]},
        "outputs": [
            {
                "path": "out.root", "did": f"mc:{name}_{{number}}", "dataset": "mc:out",
                "rule": {"copies": 1, "rse_expression": "*"},
            }
        ],
        **more,
    }  # fmt: skip


async def _make_jobs(filled: Filled) -> None:
    sandbox = await filled.ask("POST", "/sandboxes", {"sha256": SHA256, "size": len(CONTENT)}, status=201)
    filled.secrets.add(sandbox["url"].partition("signature=")[2].partition("&")[0])
    _checked(await filled.served.client.put(sandbox["url"], content=CONTENT), "PUT", "sandbox", 201)
    await filled.ask("POST", "/sandboxes", {"sha256": "4" * 64, "size": 4}, status=201)  # and never sent
    for name in ("done", "running", "killed", "held", "waiting", "before", "after"):
        after = [filled.ids["job_before"]] if name == "after" else []
        said = {"description": description(name, sandbox=SHA256), "idempotency_key": f"key-{name}", "after": after}
        made = await filled.ask("POST", "/jobs", said, status=201)
        filled.ids |= {f"job_{name}": made["job_ids"][0], f"submission_{name}": made["submission_id"]}
        if name == "killed":
            await filled.ask("POST", "/jobs/reschedule", {"job_ids": made["job_ids"]})
            await filled.ask("POST", "/jobs/kill", {"job_ids": made["job_ids"]})
            bearer = {"authorization": f"Bearer {filled.served.token(filled.vo)}"}
            jobs = {"job_ids": made["job_ids"]}
            answer = await filled.served.client.post("/api/jobs/sandbox/unassign", json=jobs, headers=bearer)
            _checked(answer, "POST", "unassign", 204)
        if name == "after":  # which has not heard of it: no worker runs
            await filled.ask("POST", "/jobs/kill", {"job_ids": after})
        if name == "held":
            await filled.ask("POST", "/jobs/hold", {"job_ids": made["job_ids"]})
        if name in ("done", "running"):
            await _run(filled, name)
        said = {"jobs": [{"job_id": made["job_ids"][0], "parameters": {"HostName": f"wn1.{filled.vo}", "events": 5}}]}
        await filled.ask("PATCH", "/jobs/parameters", said, status=204)
        said = {"job_id": made["job_ids"][0], "minor": f"minor of {filled.vo}", "application": f"of {filled.vo}"}
        await filled.ask("PATCH", "/jobs/statuses", {"statuses": [said]}, status=204)
        beats = [{"job_id": made["job_ids"][0], "load": 1.0, "tail": f"printed for {filled.vo}"}]
        await filled.ask("PATCH", "/jobs/heartbeats", {"beats": beats})
    many = {"description": description(f"many-{filled.vo}", inputs=[], outputs=[]), "parameters": {"count": 200}}
    await filled.ask("POST", "/jobs", many, status=201)  # without rows, and held: no pilot gets one
    await filled.ask("POST", "/jobs/hold", {"where": f"name = many-{filled.vo}"})
    await filled.ask("PUT", f"/jobs/views/view-{filled.vo}", {"where": f"param.HostName = wn1.{filled.vo}"})
    pilots = await filled.ask("GET", "/pilots", account="root")
    filled.ids["pilot"] = next(one["pilot_id"] for one in pilots["items"] if one["stamp"] == filled.pilot.stamp)


async def _run(filled: Filled, name: str) -> None:
    given = await filled.report("/match", OFFER | {"held": list(filled.ids.values())})
    assert given["job_id"] == filled.ids[f"job_{name}"]
    attempt = filled.ids[f"attempt_{name}"] = given["attempt_id"]
    filled.secrets |= {source["token"] for each in given["inputs"] for source in each["sources"]} | {given["token"]}
    filled.job = given["token"]
    await filled.report(f"/attempts/{attempt}/start", status=204)
    made = {"outputs": [{"number": 0, "size": len(CONTENT), "adler32": ADLER}]}
    (upload,) = (await filled.report(f"/attempts/{attempt}/outputs", made))["uploads"]
    filled.secrets.add(upload["token"])
    filled.ids[f"intent_{name}"] = upload["intent_id"]
    filled.served.put(upload["url"], CONTENT)
    sign = {"attempt_id": attempt, "state": "running", "at": "2026-01-01T00:00:00Z", "tail": f"of {filled.vo}"}
    await filled.report("/beat", {"beats": [sign]})
    if name == "done":
        sandbox = (await filled.report(f"/attempts/{attempt}/sandbox", {"size": 3, "sha256": _tar(filled.vo)}))["url"]
        _checked(await filled.served.client.put(sandbox, content=_TAR[filled.vo]), "PUT", "sandbox", 201)
        finish = {"outcome": "done", "exit_code": 0, "intents": [upload["intent_id"]], "sandbox": _tar(filled.vo)}
        await filled.report(f"/attempts/{attempt}/finish", finish)


_TAR = {"belle": b"tar", "gridpp": b"rat"}


def _tar(vo: str) -> str:
    return hashlib.sha256(_TAR[vo]).hexdigest()


@dataclass
class Grid:
    """The served application with both VOs filled."""

    served: Served
    vos: dict[str, Filled]
    contents: Contents
    owner_url: str

    @property
    def belle(self) -> Filled:
        """The VO as which tests ask."""
        return self.vos["belle"]

    @property
    def gridpp(self) -> Filled:
        """The other one."""
        return self.vos["gridpp"]
