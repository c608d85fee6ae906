"""What schemathesis makes of the API's own description: whatever it sends to a route, the answer is no fault of ours.

`test_fuzz.py` spoils good bodies. Here all of a request, paths and queries too, is made of the OpenAPI document alone;
every other one is about things that are there, with the names of a good request in its path.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest
import requests
import schemathesis

from tests.journeys.asking import NATIVE, Ask, good
from tests.journeys.given import Grid
from tests.journeys.test_bad_input import DOCUMENT
from tests.journeys.test_fuzz import LAST, SLOW, gathered

pytestmark = pytest.mark.xdist_group("schemathesis")

MANY = 5
"""Examples for each route: making one takes longer than answering it."""
FEW = 2
ORIGIN = "http://test"


@cache
def operations() -> Mapping[str, Any]:
    """How schemathesis makes requests, by `METHOD /path` of the document."""
    schema: Any = schemathesis.openapi.from_dict(dict(DOCUMENT))
    found = [result.ok() for result in schema.get_all_operations()]
    return {f"{one.method.upper()} {one.path}": one for one in found}


ROUTES = sorted(NATIVE, key=lambda route: (LAST.index(route) if route in LAST else -1, route))


def prepared(case: Any, ask: Ask, *, named: bool) -> requests.PreparedRequest:
    """A request as it goes over the wire; `named` puts the names of a good one into its path."""
    said = case.as_transport_kwargs(base_url=ORIGIN)
    url = f"{ORIGIN}/v1{ask.path}" if named else said["url"]
    body = {name: said[name] for name in ("json", "data", "files") if name in said}
    return requests.Request(said["method"], url, params=said.get("params"), **body).prepare()


@pytest.mark.parametrize("route", ROUTES)
async def test_no_request_that_the_description_allows_makes_a_route_fail(grid: Grid, route: str) -> None:
    ask = good(grid.belle)[route]
    method, path = route.split(" ")
    operation = operations()[f"{method} /v1{path.replace(':path}', '}')}"]
    who = {} if ask.account is None else {"authorization": f"Bearer {ask.token(grid.belle)}"}
    for n, case in enumerate(gathered(operation.as_strategy(), FEW if route in SLOW else MANY)):
        one = prepared(case, ask, named=n % 2 == 0)
        assert one.url is not None
        content: Any = one.body
        headers: dict[str, Any] = {name: value for name, value in one.headers.items() if name.lower() == "content-type"}
        answer = await grid.served.client.request(method, one.url, headers={**headers, **who}, content=content)
        assert answer.status_code < 500, (method, one.url, one.body, answer.text)
