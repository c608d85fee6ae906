"""A request finds the route that a router would find for it, and what is not there is said by the router."""

from collections.abc import AsyncIterator

import httpx2
import pytest
from fastapi import APIRouter, FastAPI

from sancho.kit.routes import serve

router = APIRouter(prefix="/v1")
other = APIRouter()


@router.get("/things/first")
async def first() -> str:
    return "first"


@router.get("/things/{name:path}")
async def named(name: str) -> str:
    return name


@other.get("/{vo}/things/{name}")
async def of_vo(vo: str, name: str) -> str:
    return f"{vo} {name}"


@other.get("/{vo}/things")
async def all_of_vo(vo: str) -> str:
    return f"all of {vo}"


@other.get("/alone")
async def alone() -> str:
    return "alone"


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    app = FastAPI()
    serve(app, (router, other))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://x") as made:
        yield made


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/v1/things/first", "first"),
        ("/v1/things/a/b", "a/b"),
        ("/alone", "alone"),
        ("/belle/things/x", "belle x"),
        ("/v1/things", "all of v1"),
        ("/belle/things", "all of belle"),
    ],
)
async def test_the_first_route_that_fits_answers(client: httpx2.AsyncClient, path: str, said: str) -> None:
    answer = await client.get(path)
    assert (answer.status_code, answer.json()) == (200, said)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("POST", "/v1/things/first", 405), ("GET", "/nothing", 404), ("GET", "/v1", 404), ("GET", "/alone/", 307)],
)
async def test_what_has_no_route_is_said_by_the_router(
    client: httpx2.AsyncClient, method: str, path: str, status: int
) -> None:
    assert (await client.request(method, path)).status_code == status
