"""Rucio's wire with the names of another VO: each endpoint answers as for names that nobody has.

gridpp has an account, a scope, files, a dataset, an RSE and a rule whose names belle has not. belle asks every endpoint
about them, then about things that do not exist, whose names differ in six letters. What is answered must not.
"""

import json
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import httpx2
import pytest

from sancho.compat.rucio.endpoints import ENDPOINTS, Endpoint
from tests.journeys.conftest import Untouched
from tests.journeys.given import ADLER, CONTENT, PASSWORD, Contents, Filled, Grid

pytestmark = pytest.mark.xdist_group("rucio isolation")

OURS = {"auth", "ping", "vos", "metrics", "opendata_public"}
"""Resources that are about who asks, about nothing that a VO has, or about what is everybody's."""
RULE = "f" * 32
"""Stands for the rule, and the exception, in texts that are compared."""
TIMES = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?|\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d UTC")
DID = {"scope": "{scope}", "name": "{name}"}
ON = {**DID, "rse": "{rse}"}
FILE = {**DID, "bytes": len(CONTENT), "adler32": ADLER}
LIMITS = (
    "POST /accountlimits/{account}/{rse}", "POST /accountlimits/local/{account}/{rse}",
    "POST /accountlimits/global/{account}/{rse_expression}", "POST /accounts/{account}/limits/local/{rse}",
    "POST /accounts/{account}/limits/global/{rse_expression}",
)  # fmt: skip
IDENTITY = {"identity": "/DC=gridpp/CN=Only", "authtype": "X509"}
BODIES: Mapping[str, Any] = {
    **{limit: {"bytes": 10} for limit in LIMITS},
    "POST /accounts/{account}/attr/{key}": {"value": "x"},
    "POST /accounts/{account}": {"type": "USER", "email": "new@belle.example"},
    "PUT /accounts/{account}": {"status": "ACTIVE"},
    "POST /accounts/{account}/identities": IDENTITY,
    "DELETE /accounts/{account}/identities": IDENTITY,
    "POST /config": {"{section}": {"option": "x"}},
    "POST /dids": [{**DID, "type": "DATASET", "dids": [DID]}],
    "POST /dids/{scope}/{name}": {"type": "DATASET"},
    "POST /dids/{scope}/{name}/dids": {"dids": [DID], "rse": None},
    "DELETE /dids/{scope}/{name}/dids": {"dids": [DID]},
    "POST /dids/{scope}/{name}/follow": {"account": None},
    "DELETE /dids/{scope}/{name}/follow": {"account": None},
    "POST /dids/{scope}/{name}/meta": {"meta": {"events": 1}, "recursive": False},
    "POST /dids/{scope}/{name}/meta/{key}": {"value": 1, "recursive": False},
    "PUT /dids/{scope}/{name}/status": {"open": False},
    "POST /dids/attachments": {"attachments": [{**DID, "dids": [DID]}], "ignore_duplicate": True},
    "POST /dids/bulkdidsmeta": {"dids": [{**DID, "meta": {"events": 1}}], "recursive": False},
    "POST /dids/bulkfiles": {"dids": [DID]},
    "POST /dids/bulkmeta": {"dids": [DID], "inherit": False, "plugin": "DID_COLUMN"},
    "POST /dids/resurrect": [DID],
    "POST /dids/sample": {
        "input_scope": "{scope}", "input_name": "{name}", "output_scope": "mc", "output_name": "{name}-sample",
        "nbfiles": "1",
    },
    "POST /dirac/addfiles": {
        "lfns": [{"lfn": "/gridpp/mc/only/gridpp", "rse": "{rse}", "bytes": 1, "adler32": ADLER}],
        "ignore_availability": False,
    },
    "POST /heartbeats": {"executable": "importer", "hostname": "vobox", "pid": 7, "payload": "{name}"},
    "POST /import": {"rses": {"{rse}": {"availability_write": False}}, "accounts": [{"account": "{account}"}]},
    "POST /lifetime_exceptions": {
        "dids": [DID], "account": None, "pattern": "", "comments": "x", "expires_at": "2100-01-01T00:00:00"
    },
    "PUT /lifetime_exceptions/{exception_id}": {"state": "APPROVED"},
    "POST /locks/bulk_locks_for_dids": {"dids": [DID]},
    "POST /replicas": {"rse": "{rse}", "files": [FILE]},
    "PUT /opendata/dids/{scope}/{name}": {"state": "public", "doi": "10.1234/{name}"},
    "PUT /replicas": {"rse": "{rse}", "files": [{**DID, "state": "A"}]},
    "DELETE /replicas": {"rse": "{rse}", "files": [DID]},
    "POST /replicas/bad": {"replicas": ["{pfn}"], "reason": "x"},
    "POST /replicas/bad/dids": {"rse": "{rse}", "dids": [DID], "reason": "x"},
    "POST /replicas/bad/pfns": {"pfns": ["{pfn}"], "reason": "x", "state": "BAD", "expires_at": None},
    "POST /replicas/datasets_bulk": {"dids": [DID]},
    "POST /replicas/dids": {"pfns": ["{pfn}"], "rse": None},
    "POST /replicas/list": {"dids": [DID], "all_states": True},
    "POST /replicas/quarantine": {"replicas": [{"path": "{pfn}"}], "rse": "{rse}", "rse_id": None},
    "POST /replicas/suspicious": {"pfns": ["{pfn}"], "reason": "x"},
    "POST /replicas/tombstone": {"replicas": [ON]},
    "POST /rses/{rse}": {"site": "SITE-A"},
    "PUT /rses/{rse}": {"availability_write": False},
    "PUT /rses/{rse}/limits": {"name": "MaxSpaceAvailable", "value": 10},
    "DELETE /rses/{rse}/limits": {"name": "MaxSpaceAvailable"},
    "PUT /rses/{rse}/usage": {"source": "storage", "used": 1, "free": 1},
    **{
        f"{method} /rses/{{rse}}/protocols/{{scheme}}{rest}": {"prefix": "/grid/"}
        for method, rest in (("POST", ""), ("PUT", ""), ("PUT", "/{hostname}"), ("PUT", "/{hostname}/{port}"))
    },
    "POST /rses/{rse}/attr/{key}": {"value": "x"},
    "POST /rses/{source}/distances/{destination}": {"distance": 1},
    "PUT /rses/{source}/distances/{destination}": {"distance": 1},
    "POST /rules": {"dids": [DID], "copies": 1, "rse_expression": "{rse}"},
    "DELETE /rules/{rule_id}": {"purge_replicas": None},
    "PUT /rules/{rule_id}": {"options": {"comment": "x"}},
    "POST /rules/{rule_id}/move": {"rule_id": "{rule_id}", "rse_expression": "A-DISK", "override": {}},
    "POST /rules/{rule_id}/reduce": {"copies": 1, "exclude_expression": None},
    "POST /traces": {"eventType": "touch", **DID},
    "POST /meta_conventions/{key}": {"key_type": "ALL", "value_type": "str", "value_regexp": None},
    "POST /nongrid_traces": {"eventType": "touch", **DID},
}  # fmt: skip
"""What is sent to an endpoint."""
QUERIES: Mapping[str, str] = {
    "DELETE /dids/{scope}/{name}/meta": "key=events",
    "GET /dids/{scope}/dids/search": "type=all&name=*",
    "GET /identities/accounts": "identity_key=/DC=gridpp/CN=Only&type=X509",
    "GET /credentials/signur": "rse={rse}&url={pfn}",
    "GET /credentials/signurl": "rse={rse}&url={pfn}&op=read&svc=s3",
    "GET /lifetime_exceptions": "exception_id={exception_id}",
    "GET /locks/{scope}/{name}": "did_type=dataset",
    "GET /locks/{rse}": "did_type=dataset",
    "GET /rses/{rse}/lfns2pfns": "lfn={scope}:{name}",
    "GET /rules": "scope={scope}&name={name}&account={account}&rse_expression={rse}",
    "GET /requests/list": "src_rse={rse}&dst_rse={rse}&request_states=Q",
}
WRONG = {"InputValidationError", "ValueError"}
"""What is said of a body that is not understood."""


@dataclass(frozen=True)
class Names:
    """What somebody asks about."""

    scope: str
    name: str
    pfn: str
    rule_id: str
    exception_id: str
    account: str = "gridpp-only"
    rse: str = "GRIDPP-DISK"
    key: str = "gridpp_key"

    def put(self, text: str) -> str:
        """A text with them; what is not one of them becomes a word that is none's."""
        known = {
            **vars(self),
            "rse_expression": self.rse,
            "source": self.rse,
            "destination": "A-DISK",
            "scheme": "davs",
            "section": self.key,
            "[/]": "",
        }
        for mark, said in known.items():
            text = text.replace(mark if mark == "[/]" else f"{{{mark}}}", said)
        return re.sub(r"\{\w+\}", "1", text)

    def nobodys(self) -> "Names":
        """The same of things that do not exist."""
        other = {field: _other(said) for field, said in vars(self).items()}
        return Names(**{**other, "rule_id": f"{10**9:032x}", "exception_id": f"{10**9:032x}"})


def _other(text: str) -> str:
    return text.replace("gridpp", "nobody").replace("GRIDPP", "NOBODY")


async def _register(filled: Filled) -> dict[str, str]:
    """Give gridpp what belle has not; return where its files lie, by their scopes."""
    scope = {"kind": "Scope", "name": "gridpp-own", "spec": {"account": "root", "shared": True}}
    account = {"kind": "Account", "name": "gridpp-only", "spec": {"email": "only@gridpp.example", "groups": ["users"]}}
    settings = {"kind": "ClientSettings", "name": "gridpp_key", "spec": {"options": {"option": "of gridpp"}}}
    await filled.ask("POST", "/configuration/apply", {"documents": [scope, account, settings]}, account="root")
    proof = {"kind": "x509", "subject": "/DC=gridpp/CN=Only"}
    await filled.ask("POST", "/accounts/gridpp-only/identities", proof, account="root", status=201)
    files = [
        {"did": f"{scope}:only/gridpp-file", "size": len(CONTENT), "adler32": ADLER} for scope in ("mc", "gridpp-own")
    ]
    body = {"rse": "GRIDPP-DISK", "files": files, "dataset": "gridpp-own:only/gridpp-set"}
    await filled.ask("POST", "/replicas", body, account="root", status=201)
    listed = {"dids": [{"scope": scope, "name": "only/gridpp-file"} for scope in ("mc", "gridpp-own")]}
    token = {"x-rucio-auth-token": filled.served.token("gridpp", "root")}
    answer = await filled.served.client.post("/rucio/replicas/list", headers=token, json=listed)
    found = [json.loads(line) for line in answer.text.splitlines()]
    return {one["scope"]: next(iter(one["pfns"])) for one in found}


@dataclass
class Asked:
    """The grid, and gridpp's names."""

    grid: Grid
    file: Names
    dataset: Names

    async def ask(self, endpoint: Endpoint, names: Names, account: str, words: Any = str) -> httpx2.Response:
        """What an endpoint answers to somebody of belle; `words` changes what stands in it beside the names."""
        called = f"{endpoint.method} {endpoint.path}".removesuffix("[/]").removesuffix("/")
        body, query = BODIES.get(called), QUERIES.get(called)
        path = names.put(endpoint.path) + (f"?{names.put(words(query))}" if query else "")
        headers = {
            "x-rucio-auth-token": self.grid.served.token("belle", account), "x-rucio-vo": "gridpp",
            "x-rucio-username": names.account, "x-rucio-password": PASSWORD,
        }  # fmt: skip
        return await self.grid.served.client.request(
            endpoint.method, f"/rucio{path}", headers=headers,
            content=None if body is None else names.put(words(json.dumps(body))),
        )  # fmt: skip


@pytest.fixture
async def asked(untouched: Untouched) -> AsyncIterator[Asked]:
    """A grid of its own for each test: what belle is allowed to make has gridpp's names then."""
    async with untouched.copied() as grid:
        yield await _asked(grid)


async def _asked(grid: Grid) -> Asked:
    urls = await _register(grid.gridpp)
    rule = {"did": "gridpp-own:only/gridpp-set", "rse_expression": "GRIDPP-DISK", "comment": "of gridpp"}
    made = await grid.gridpp.ask("POST", "/rules", rule, account="root", status=201)
    rule_id = f"{made['rule_id']:032x}"
    keep = {"dids": ["gridpp-own:only/gridpp-set"], "until": "2100-01-01", "reason": "of gridpp"}
    wish = await grid.gridpp.ask("POST", "/lifetime-exceptions", keep, account="root", status=201)
    file = Names("mc", "only/gridpp-file", urls["mc"], rule_id, f"{wish['exception_id']:032x}")
    dataset = replace(file, scope="gridpp-own", name="only/gridpp-set", pfn=urls["gridpp-own"])
    return Asked(grid, file, dataset)


def plain(answer: httpx2.Response, names: Names) -> tuple[int, str, str]:
    """What is answered, without times, with names as if nobody had them."""
    text = answer.text.replace(names.rule_id, RULE)
    for thing, said in (("Rule", names.rule_id), ("Lifetime exception", names.exception_id)):
        text = text.replace(f"{thing} {int(said, 16)} ", f"{thing} {RULE} ")
    text = _other(TIMES.sub("", text))
    return answer.status_code, answer.headers.get("ExceptionClass", ""), text


WALKED = sorted(
    (endpoint for endpoint in ENDPOINTS if endpoint.resource not in OURS),
    key=lambda one: (one.method != "GET", one.method == "DELETE"),
)


@pytest.mark.parametrize("account", ["alice", "root"])
@pytest.mark.parametrize("kind", ["file", "dataset"])
async def test_names_of_another_vo_are_names_that_nobody_has(asked: Asked, account: str, kind: str) -> None:
    names: Names = getattr(asked, kind)
    contents = Contents(asked.grid.owner_url, where="vo = 2")
    before = contents.read()
    for endpoint in WALKED:
        theirs = await asked.ask(endpoint, names, account)
        nobodys = await asked.ask(endpoint, names.nobodys(), account, _other)
        what = f"{endpoint.method} {endpoint.path} as {account}: {theirs.status_code} {theirs.text[:300]}"
        assert plain(theirs, names) == plain(nobodys, names.nobodys()), what
        assert "gridpp" not in nobodys.text.lower(), what
        assert not [secret for secret in asked.grid.gridpp.secrets if secret in theirs.text], what
        assert theirs.status_code < 500, what
        assert endpoint.state == "refused" or theirs.headers.get("ExceptionClass") not in WRONG, what
        assert contents.read() == before, what
    contents.close()


async def test_their_owner_finds_by_these_names_what_another_vo_does_not(asked: Asked) -> None:
    token = {"x-rucio-auth-token": asked.grid.served.token("gridpp", "root")}
    for path in (
        "/dids/{scope}/{name}", "/rses/{rse}", "/accounts/{account}", "/rules/{rule_id}",
        "/lifetime_exceptions/{exception_id}", "/dids/{scope}/{name}/rules",
    ):  # fmt: skip
        answer = await asked.grid.served.client.get(f"/rucio{asked.dataset.put(path)}", headers=token)
        assert (answer.status_code, "gridpp" in answer.text.lower() or "rules" in path) == (200, True), answer.text
    known = await asked.grid.served.client.post(
        "/rucio/replicas/dids", headers=token, content=asked.file.put(json.dumps(BODIES["POST /replicas/dids"]))
    )
    assert "only/gridpp-file" in known.text
