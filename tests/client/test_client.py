"""What both clients do with calls, pages and lines. A played transport answers: only the order of requests matters."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from httpx2 import MockTransport, Request, Response

from sancho_client import AsyncClient, Client
from sancho_client.call import Call, Lines, Pages
from sancho_client.environment import Environment
from sancho_client.errors import AnswerUnclear, BadInput, Problem, ServerAway
from sancho_client.models.base import Answer
from sancho_client.tokens import GivenToken

NOWHERE = Environment(config_home=Path("/nonexistent"))


class Item(Answer):
    n: int


class Served:
    """Numbers from 0 to 9, in pages of both kinds and as lines."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.refusals = 0

    def __call__(self, request: Request) -> Response:
        self.requests.append(request)
        if self.refusals:
            self.refusals -= 1
            raise httpx2.ConnectError("refused", request=request)
        query = request.url.params
        match request.url.path:
            case "/pages":
                given = query if request.method == "GET" else json.loads(request.content)
                at = int(given.get("cursor") or 0)
                size = int(given.get("limit") or 4)
                items = [{"n": n} for n in range(10)][at : at + size]
                return Response(200, json={"items": items, "next": at + size if at + size < 10 else None})
            case "/arrays":
                at, size = int(query.get("after", -1)) + 1, int(query["limit"])
                return Response(200, json=[{"n": n} for n in range(10)][at : at + size])
            case "/lines":
                return Response(200, content=b"".join(b'{"n": %d}\n' % n for n in range(10)))
            case "/odd":
                return Response(200, content=b'{"n": 1}\n{"m": 2}\n')
            case _:
                return Response(404, json={"code": "not_found", "detail": "There is no such thing."})


@pytest.fixture
def served() -> Served:
    return Served()


@pytest.fixture
def client(served: Served) -> Iterator[Client]:
    transport = MockTransport(served)
    with Client("http://server", tokens=GivenToken("t"), environment=NOWHERE, transport=transport) as made:
        yield made


def async_client(served: Served) -> AsyncClient:
    return AsyncClient("http://server", tokens=GivenToken("t"), environment=NOWHERE, transport=MockTransport(served))


LISTINGS = [
    Pages(path="/pages", item=Item),
    Pages(path="/pages", item=Item, method="POST", json={"some": "filter"}),
    Pages(path="/arrays", item=Item, cursor="after", key="n", page_size=3),
    Pages(path="/arrays", item=Item, cursor="after", key="n", page_size=5),
]


@pytest.mark.parametrize("pages", LISTINGS)
def test_a_listing_goes_on_to_its_last_page(client: Client, pages: Pages[Item]) -> None:
    assert [item.n for item in client.pages(pages)] == list(range(10))


@pytest.mark.parametrize("pages", LISTINGS)
async def test_a_listing_can_be_awaited(served: Served, pages: Pages[Item]) -> None:
    async with async_client(served) as client:
        assert [item.n async for item in client.pages(pages)] == list(range(10))


def test_a_listing_asks_for_no_more_than_is_wanted(client: Client, served: Served) -> None:
    pages = Pages(path="/pages", item=Item, page_size=4, limit=2)

    assert [item.n for item in client.pages(pages)] == [0, 1]
    assert [r.url.params["limit"] for r in served.requests] == ["2"]


def test_pages_are_fetched_when_they_are_needed(client: Client, served: Served) -> None:
    items = client.pages(LISTINGS[0])
    assert len(served.requests) == 0

    for _ in range(4):
        next(items)
    assert len(served.requests) == 1


def test_lines_are_read_one_by_one(client: Client) -> None:
    assert [item.n for item in client.lines(Lines(path="/lines", item=Item))] == list(range(10))


async def test_lines_can_be_awaited(served: Served) -> None:
    async with async_client(served) as client:
        assert [item.n async for item in client.lines(Lines(path="/lines", item=Item))] == list(range(10))


def test_a_line_that_is_not_understood_says_so(client: Client) -> None:
    with pytest.raises(AnswerUnclear, match="'n'"):
        list(client.lines(Lines(path="/odd", item=Item)))


def test_a_stream_that_is_refused_is_a_problem(client: Client) -> None:
    with pytest.raises(Problem, match="no such thing"):
        list(client.lines(Lines(path="/nowhere", item=Item)))


async def test_both_clients_come_back_to_a_server_that_was_away(client: Client, served: Served) -> None:
    call: Call[dict[str, object]] = Call(method="GET", path="/pages", answer=dict[str, object])
    served.refusals = 1
    assert client.send(call)["next"] == 4

    served.refusals = 1
    async with async_client(served) as other:
        assert (await other.send(call))["next"] == 4


def test_a_client_gives_up_on_a_server_that_stays_away(served: Served) -> None:
    served.refusals = 100
    transport = MockTransport(served)
    call: Call[dict[str, object]] = Call(method="GET", path="/pages", answer=dict[str, object])

    with (
        Client(
            "http://server", tokens=GivenToken("t"), environment=NOWHERE, transport=transport, patience=0.3
        ) as client,
        pytest.raises(ServerAway, match="http://server does not answer"),
    ):
        client.send(call)


@pytest.mark.parametrize("url", ["server", "ftp://server"])
def test_a_server_is_named_by_a_url(url: str) -> None:
    with pytest.raises(BadInput, match="not the URL"):
        Client(url, environment=NOWHERE)


def test_certificates_that_are_none_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_text("nothing")

    with pytest.raises(BadInput, match=r"ca\.pem holds no certificates"):
        Client("https://server", environment=Environment(config_home=tmp_path, ca_file=path))
