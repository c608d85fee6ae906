"""The application as a whole: every route is authorised, every error is a problem, no VO sees another."""

import asyncio
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from fastapi.routing import APIRoute

from sancho.app import PUBLIC_PATHS, ROUTERS, health
from sancho.compat.diracx import api as diracx_api
from sancho.compat.rucio import api as rucio_api
from sancho.compat.rucio.caller import rucio_caller
from sancho.identity import api as identity_api
from sancho.kit import web
from sancho.parts import KINDS, TASKS
from sancho.web import api as web_api
from tests.described import described
from tests.identity.helpers import PASSWORD
from tests.served import Served

DIRACX = [r for router in diracx_api.ROUTERS for r in router.routes if isinstance(r, APIRoute)]
FOREIGN = [*DIRACX, *(r for router in rucio_api.ROUTERS for r in router.routes if isinstance(r, APIRoute))]
OURS = [
    r
    for router in (health, *identity_api.PUBLIC_ROUTERS, *web_api.ROUTERS)
    for r in router.routes
    if isinstance(r, APIRoute)
]
ROUTES = [*OURS, *FOREIGN]
NATIVE = [r for router in ROUTERS for r in router.routes if isinstance(r, APIRoute)]


def dependencies(route: APIRoute) -> Iterator[Any]:
    todo = [route.dependant]
    while todo:
        dependant = todo.pop()
        yield dependant.call
        todo.extend(dependant.dependencies)


def test_every_route_takes_a_caller_or_is_listed_as_public() -> None:
    guards = {web._caller, web.pilot_of, web._job, web._principal, rucio_caller}
    unguarded = {r.path for r in NATIVE if guards.isdisjoint(dependencies(r))}
    unguarded |= {r.path for r in ROUTES if guards.isdisjoint(dependencies(r))}
    assert unguarded == PUBLIC_PATHS


def test_every_native_route_is_below_v1_and_refuses_parameters_that_it_does_not_know() -> None:
    assert [r.path for r in NATIVE if not r.path.startswith("/v1/")] == []
    assert [r.path for r in NATIVE if web.check_parameters not in dependencies(r)] == []


def test_every_route_says_what_it_is_for() -> None:
    assert [r.path for r in (*NATIVE, *ROUTES) if not (r.endpoint.__doc__ or "").strip()] == []


def test_every_feature_with_tasks_is_registered_under_its_own_name() -> None:
    assert sorted(t.feature for t in TASKS) == sorted({t.feature for t in TASKS})


def test_no_two_kinds_of_documents_share_a_name() -> None:
    assert len({k.name for k in KINDS}) == len(KINDS)


async def test_without_a_token_no_native_route_answers(served: Served) -> None:
    for route in NATIVE:
        path = route.path
        if path in PUBLIC_PATHS:
            continue
        for name in route.param_convertors:
            path = path.replace(f"{{{name}:path}}", "x:y").replace(f"{{{name}}}", "1")
        for headers in ({}, {"authorization": "Bearer nonsense"}, {"authorization": "Basic YTpi"}):
            answer = await served.client.request(min(route.methods or ()), path, headers=headers)
            assert answer.status_code == 401, (route.path, answer.text)
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_without_a_token_no_route_of_diracx_answers_and_it_says_so_in_diracx_s_way(served: Served) -> None:
    for route in DIRACX:
        if route.path in PUBLIC_PATHS:
            continue
        path = re.sub(r"{\w+}", "1", route.path)
        for headers in ({}, {"authorization": "Bearer nonsense"}):
            answer = await served.client.request(min(route.methods or ()), path, headers=headers)
            assert answer.status_code == 401, (route.path, answer.text)
            assert answer.headers["www-authenticate"].startswith("Bearer")
            assert answer.json() == {"detail": "Invalid JWT" if headers else "Authorization header is missing"}


BODIES = {"/api/jobs/summary": {"grouping": ["Owner", "VO"]}, "/api/jobs/metadata": {}}
"""What is sent to routes of DiracX that need it."""


async def test_a_token_of_one_vo_gets_nothing_of_another_from_any_route_of_diracx(served: Served) -> None:
    zoe = {"kind": "Account", "name": "zoe", "spec": {"groups": ["users"]}}  # gridpp has nobody who is called so
    made = await served.send("POST", "/configuration/apply", account="root", json={"documents": [zoe]})
    assert made.status_code == 200, made.text
    await served.give_password("belle", "zoe")
    form = {"grant_type": "password", "vo": "belle", "username": "zoe", "password": PASSWORD}
    given = (await served.client.post("/v1/auth/token", data=form)).json()
    (login,) = (await served.send("GET", "/auth/logins", token=given["access_token"])).json()
    strangers = {"authorization": f"Bearer {served.token('gridpp', 'root')}"}
    for route in DIRACX:
        if route.path in PUBLIC_PATHS:
            continue
        path = re.sub(r"{\w+}", login["login_id"], route.path)
        answer = await served.client.request(
            min(route.methods or ()), path, headers=strangers, json=BODIES.get(route.path)
        )
        assert answer.status_code in (200, 204, 404, 422, 501), (route.path, answer.text)
        assert "belle" not in answer.text, route.path
        assert "zoe" not in answer.text, route.path
    assert (await served.send("GET", "/whoami", token=given["access_token"])).status_code == 200
    again = {"grant_type": "refresh_token", "refresh_token": given["refresh_token"]}
    assert (await served.client.post("/v1/auth/token", data=again)).status_code == 200


async def test_an_expired_token_is_refused(served: Served) -> None:
    claims = {"sub": "belle:alice", "aud": served.deployment.signer.issuer, "scope": "sancho"}
    stale = served.deployment.signer.sign(claims, timedelta(hours=-1))
    answer = await served.send("GET", "/jobs", token=stale)
    assert (answer.status_code, "expired" in answer.json()["detail"]) == (401, True)


async def test_a_token_for_a_storage_opens_nothing_here(served: Served) -> None:
    claims = {"sub": "belle:alice", "aud": "https://storage", "scope": "storage.read:/"}
    answer = await served.send("GET", "/jobs", token=served.deployment.signer.sign(claims, timedelta(hours=1)))
    assert answer.status_code == 401


async def test_a_body_over_the_limit_is_refused_before_it_is_read(served: Served) -> None:
    answer = await served.send("POST", "/jobs", content=b"x" * 33_000_000)
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (413, "body_too_large", "body")


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b'{"description": {"name": "\xff"}}', b"[]", b"null", b""])
async def test_what_is_not_json_is_a_problem_that_says_so(served: Served, body: bytes) -> None:
    answer = await served.send("POST", "/jobs", content=body)
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_an_unknown_field_is_named(served: Served) -> None:
    answer = await served.send("POST", "/jobs", json={"description": {"name": "x", "command": ["a"], "colour": 1}})
    assert answer.status_code == 422
    assert answer.json()["field"] == "description.colour"


async def test_an_unknown_path_is_a_problem_too(served: Served) -> None:
    answer = await served.send("GET", "/nothing")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_health_needs_no_token_and_metrics_count_requests(served: Served) -> None:
    assert (await served.client.get("/v1/health/live")).json() == {"status": "alive"}
    assert (await served.client.get("/v1/health/ready")).json() == {"status": "ready"}
    await served.send("GET", "/jobs/7")
    said = (await served.client.get("/metrics")).text
    assert 'sancho_requests_total{method="GET",route="/v1/health/ready"' in said
    assert 'sancho_requests_total{method="GET",route="/v1/jobs/{job_id}"' in said


async def test_an_unready_database_is_503_and_says_when_to_come_back(served: Served) -> None:
    await served.deployment.database.close()
    answer = await served.client.get("/v1/health/ready")
    assert (answer.status_code, answer.json()["code"]) == (503, "database_away")
    assert int(answer.headers["retry-after"]) > 0


def test_the_openapi_document_describes_every_native_route() -> None:
    paths = described()["paths"]
    assert {r.path.replace(":path}", "}") for r in NATIVE} <= set(paths)


async def test_administrators_of_the_installation_who_come_together_all_serve_every_vo(served: Served) -> None:
    authenticator, signer = served.app.state.authenticator, served.deployment.signer

    async def come(n: int) -> tuple[int, ...]:
        claims = {"sub": "instance:root", "aud": signer.issuer, "scope": "sancho", "jti": f"{n}"}
        return (await authenticator.authenticate(signer.sign(claims, timedelta(hours=1)))).vos

    for some in range(10):
        found = await asyncio.gather(*(come(20 * some + n) for n in range(20)))

        assert set(found) == {(0, served.world.belle, served.world.gridpp)}
