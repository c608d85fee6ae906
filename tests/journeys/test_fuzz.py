"""Bodies that nobody would write: whatever a route is sent, the answer is never a fault of ours.

Each body is a good one in which some values are replaced: by others that the schema allows, or by anything at all.
"""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import given as examples
from hypothesis import strategies as st

from sancho.parts import KINDS
from tests.journeys.asking import NATIVE, good
from tests.journeys.given import Grid
from tests.journeys.spoiling import Spoiler
from tests.journeys.test_bad_input import JSON, SPOILER, body_schema

pytestmark = pytest.mark.xdist_group("fuzz")

Anything = st.SearchStrategy[Any]
MANY = 25
"""Examples for each route."""
SLOW = {"POST /accounts/{name}/password"}
"""Each costs a password hash."""
LAST = [
    "POST /jobs/kill",
    "POST /pilot/attempts/{attempt_id}/finish",
    "POST /pilot/retire",
    "POST /accounts/{name}/password",
    "POST /configuration/rollback",
    "POST /configuration/apply",
]
"""Routes that may end what others need: a job, an attempt, a pilot, an account."""
ROUTES = sorted(
    (route for route in NATIVE if body_schema(route) is not None),
    key=lambda route: (LAST.index(route) if route in LAST else -1, route),
)

WORDS = st.sampled_from(
    [
        "", " ", "*", "mc", "mc:raw", "mc:raw/1", "mc:mine", "mc:box", "mc:new", "mc:{number}", "mc:{seed}/{number}",
        "mc:é", "nowhere:x", "mc:" + "x" * 250, "A-DISK", "BELLE-DISK", "GRIDPP-DISK", "SITE-A", "tier=1",
        "tier>0|country=UK", "alice", "carol", "users", "admins", "gridpp", "{number}", "{", "../x", "1 GB", "0", "-1",
        "1 h", "2026-01-01", "00000000", "f" * 64, "Account", "Quota", "done", "\0", "\ud800", "\U0010ffff", "%00",
        "a\nb", "'; --", "x" * 5000,
    ]
)  # fmt: skip
NUMBERS = st.sampled_from([0, 1, 2, -1, 100, 2**15, 2**31 - 1, 2**31, 2**50, 2**63 - 1, 2**63, -(2**63), 2**64, 10**30])
FLOATS = st.sampled_from([0.0, 0.5, -1.0, 1e-300, 1e18, 1e300, float("inf"), float("-inf"), float("nan")])
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, FLOATS, WORDS, st.text(max_size=20), st.integers())
JUNK: Anything = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3), max_leaves=5
)


def like(schema: Mapping[str, Any], value: Any, spoiler: Spoiler = SPOILER) -> Anything:
    """Values like a good one: mostly itself, at times another that the schema allows, at times anything."""
    kept = _parts(schema, value, spoiler)
    return st.integers(0, 19).flatmap(lambda n: kept if n < 17 else _allowed(schema, spoiler) if n < 19 else JUNK)


def _parts(schema: Mapping[str, Any], value: Any, spoiler: Spoiler) -> Anything:
    schema = spoiler.option(schema, value)
    if isinstance(value, dict) and "properties" in schema:
        inner = {name: like(schema["properties"].get(name, {}), one, spoiler) for name, one in value.items()}
        return st.fixed_dictionaries(inner, optional={"nonsense": JUNK} if not inner else {})
    if isinstance(value, list) and value:
        return st.lists(like(schema["items"], value[0], spoiler), max_size=3) | st.just(value)
    return st.just(value)


def _allowed(schema: Mapping[str, Any], spoiler: Spoiler) -> Anything:
    options = spoiler.options(schema)
    return st.one_of([_of(option, spoiler) for option in options]) if options else JUNK


def _of(schema: Mapping[str, Any], spoiler: Spoiler) -> Anything:
    match schema.get("type"):
        case "object":
            inner = {name: _allowed(one, spoiler) for name, one in schema.get("properties", {}).items()}
            required = set(schema.get("required", ()))
            return st.fixed_dictionaries(
                {name: one for name, one in inner.items() if name in required},
                optional={name: one for name, one in inner.items() if name not in required},
            )  # fmt: skip
        case "array":
            return st.lists(_allowed(schema["items"], spoiler), min_size=schema.get("minItems", 0), max_size=4)
        case "string":
            return st.sampled_from(schema["enum"]) if "enum" in schema else WORDS
        case "integer":
            return st.integers(schema.get("minimum"), schema.get("maximum")) | NUMBERS
        case "number":
            return st.floats(0, 1e9) | FLOATS
        case "boolean":
            return st.booleans()
        case _:
            return JUNK


def gathered(values: Anything, number: int) -> list[Any]:
    """That many values, the simple ones first."""
    found: list[Any] = []

    @settings(
        max_examples=number, deadline=None, database=None,
        suppress_health_check=[
            HealthCheck.too_slow, HealthCheck.large_base_example, HealthCheck.filter_too_much,
            HealthCheck.data_too_large,
        ],
    )  # fmt: skip
    @examples(value=values)
    def gather(value: Any) -> None:
        found.append(value)

    gather()
    return found


@pytest.mark.parametrize("route", ROUTES)
async def test_no_body_makes_a_route_fail(grid: Grid, route: str) -> None:
    ask, schema = good(grid.belle)[route], body_schema(route)
    assert schema is not None
    for body in gathered(like(schema, ask.body), 10 if route in SLOW else MANY):
        answer = await ask.send(grid.belle, content=json.dumps(body).encode(), headers=JSON)
        assert answer.status_code < 500, (body, answer.text)


SPECS: dict[str, dict[str, Any]] = {
    "VO": {"share": 2, "alias": "v", "passwords": True, "description": "x", "email": "a@b.org",
        "max_reschedules": 3,
    },
    "ClientSettings": {"options": {"threads": 4, "site": "SITE-A", "debug": True, "ratio": 0.5}},
    "Group": {"permissions": ["jobs:create"], "share": 2},
    "Account": {"kind": "user", "email": "a@b.org", "groups": ["users"], "suspended": False, "password_hash": None,
        "attributes": {"country": "AT"},
    },
    "IdentityProvider": {
        "issuer": "https://iam.example", "title": "IAM", "plugin": "oidc", "members": ["/x"], "groups": {"/x": "users"},
        "settings": {"client_id": "sancho"},
    },
    "Policy": {
        "effect": "deny", "permissions": ["jobs:create"], "things": ["mc:x"], "groups": ["users"],
        "accounts": ["alice"], "reason": "x", "plugin": None, "settings": {},
    },
    "DatasetGrant": {"to": ["gridpp"]},
    "Scope": {"account": "alice", "shared": True},
    "Site": {"attributes": {"tier": 1}, "enabled": True},
    "ComputeElement": {
        "site": "SITE-A", "plugin": "local", "cores": 1, "memory": "1 GB", "walltime": "1 h", "max_pilots": 0,
        "tags": ["x"], "settings": {"folder": "/nowhere"}, "enabled": True,
        "machine": {
            "system": "linux", "architecture": "x86_64", "microarchitecture": 3, "power": 10.5, "scratch": "10 GB",
            "io": "1 GB", "gpus": [{"count": 1, "vendor": "nvidia", "memory": "8 GB", "capability": "8.6"}],
        },
        "price": 0.02, "carbon": {"watts": 15, "grid": 300.5},
    },
    "RSE": {
        "site": "SITE-A", "plugin": "posix", "prefix": "file:///nowhere", "audience": "x", "attributes": {"tier": 1},
        "settings": {"roots": []}, "distances": {"B-DISK": 1}, "readable": True, "writable": True, "deletable": True,
        "enabled": True, "naming": "identity", "domains": {"wan": {"read": 1}},
        "protocols": [{"plugin": "posix", "prefix": "file:///other"}],
    },
    "Grant": {"resource": {"kind": "Site", "name": "SITE-A"}, "to": ["belle"]},
    "Quota": {"account": "alice", "rse_expression": "*", "size": "1 TB"},
    "RankWeights": {"hour": 1, "money": 10.5, "carbon": 5, "throughput": "100 MB"},
    "DataPlacement": {"most": "1 TB", "full_after": "1 h", "lifetime": "7 d", "rse_expression": "*"},
    "RunningLimit": {"most": 10, "site": "SITE-A", "type": "merge", "group": "users"},
    "NameSchema": {"pattern": ".+", "example": "a"},
    "MetadataKey": {
        "kind": "texts", "dids": ["file"], "unit": "GeV", "description": "x", "minimum": None, "maximum": None,
        "vocabulary": ["ecl"], "pattern": "[a-z]+", "indexed": True,
    },
}  # fmt: skip
"""A good spec of each kind of document."""
OF_VOS = {
    "ClientSettings",
    "DatasetGrant",
    "DataPlacement",
    "Group",
    "Account",
    "IdentityProvider",
    "Policy",
    "Scope",
    "Quota",
    "RankWeights",
    "RunningLimit",
    "MetadataKey",
}


@pytest.mark.parametrize("kind", sorted(SPECS))
async def test_no_document_makes_an_apply_fail(grid: Grid, kind: str) -> None:
    model = next(each.model for each in KINDS if each.name == kind)
    schema = model.model_json_schema()
    spoiler = Spoiler(schema)
    specs = gathered(like(schema, SPECS[kind], spoiler), MANY)
    for n, spec in enumerate(specs):
        document = {"kind": kind, "name": f"new{n % 7}", "spec": spec, "vo": "belle" if kind in OF_VOS else None}
        body = {"documents": [document, document | {"name": f"more{n}", "remove": n % 5 == 0}], "dry_run": n % 3 == 0}
        answer = await grid.served.client.post(
            "/v1/configuration/apply", content=json.dumps(body).encode(),
            headers=JSON | {"authorization": f"Bearer {grid.served.token('instance', 'root')}"},
        )  # fmt: skip
        assert answer.status_code < 500, (body, answer.text)


def test_every_kind_of_document_is_tried() -> None:
    assert set(SPECS) == {kind.name for kind in KINDS}
    assert all(set(kind.model.model_fields) == set(SPECS[kind.name]) for kind in KINDS)
