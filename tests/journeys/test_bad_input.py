"""Whatever is wrong with a request: a 4xx problem that names it and says what to do, and nothing has changed."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any
from urllib.parse import quote

import pytest

from tests.described import described
from tests.journeys.asking import NATIVE, PRESIGNED, Ask, good
from tests.journeys.given import Grid
from tests.journeys.refused import CASES, Case, as_instance, check_refused
from tests.journeys.refused_changes import JOB_CHANGES
from tests.journeys.spoiling import Schema, Spoiler, Spoilt

pytestmark = pytest.mark.xdist_group("bad input")

DOCUMENT: Schema = described()
SPOILER = Spoiler(DOCUMENT)
JSON = {"content-type": "application/json"}
HUGE = ("9223372036854775808", "-9223372036854775809", "1" + "0" * 400, "1" + "0" * 5000)


def operation(route: str) -> Schema:
    """What the OpenAPI document says of a route."""
    method, path = route.split(" ")
    return DOCUMENT["paths"]["/v1" + path.replace(":path}", "}")][method.lower()]


def body_schema(route: str) -> Schema | None:
    """The schema of a route's JSON body."""
    return operation(route).get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")


def parameters(route: str, place: str) -> dict[str, Schema]:
    """The schemas of a route's parameters in its `path` or `query`."""
    return {p["name"]: p["schema"] for p in operation(route).get("parameters", []) if p["in"] == place}


WITH_BODY = sorted(route for route in NATIVE if body_schema(route) is not None)
WITH_QUERY = sorted(route for route in NATIVE if parameters(route, "query"))
WITH_NAMES = sorted(route for route in NATIVE if parameters(route, "path"))


NOTED = frozenset({"audit_row"})
"""Where it is written down that somebody was denied something."""


class Watch:
    """Sends requests that must be refused, and sees to it that none changes anything."""

    def __init__(self, grid: Grid) -> None:
        self.grid, self.before = grid, grid.contents.read(NOTED)

    async def refused(self, ask: Ask, what: str, **more: Any) -> dict[str, Any]:
        """Send a request; return the problem that it is answered with."""
        said = check_refused(await ask.send(self.grid.belle, **more), what)
        after = self.grid.contents.read(NOTED)
        assert after == self.before, f"{what} changed {[t for t in after if after[t] != self.before[t]]}"
        return said


def test_every_native_route_has_a_good_request(grid: Grid) -> None:
    assert set(good(grid.belle)) == set(NATIVE)


def test_the_good_requests_use_every_field(grid: Grid) -> None:
    for route, ask in good(grid.belle).items():
        assert set(parameters(route, "query")) == set(ask.query), route
        assert set(parameters(route, "path")) == set(ask.names), route
        schema = body_schema(route)
        assert (schema is None) == (ask.body is None), route
        if schema is not None:
            assert list(unused(schema, ask.body, route)) == []


def unused(schema: Schema, value: Any, at: str) -> Iterator[str]:
    """Fields that a schema has and a document lacks."""
    if isinstance(value, list):
        schema = SPOILER.option(schema, [])
        for one in value[:1]:
            yield from unused(schema["items"], one, at)
    elif isinstance(value, dict):
        schema = SPOILER.option(schema, {})
        for name, inner in schema.get("properties", {}).items():
            if name in value:
                yield from unused(inner, value[name], f"{at} {name}")
            else:
                yield f"{at} {name}"


UNLIMITED = {
    "documents": "2000 of them are answered with 413, as the test below says",
    "spec": "the model of its kind has the limits",
    "settings": "the settings of a plugin: its model has the limits",
    **dict.fromkeys(("tool", "job_order"), "a CWL document: its size is looked at before it is read"),
    "size": "of a quota: checked when it is read",
    "memory": "a size: checked when it is read",
    **dict.fromkeys(("memory_per_core", "memory_limit", "scratch", "io"), "a size: checked when it is read"),
    "start_with": "files or percent: checked when it is read",
    "walltime": "a duration: checked when it is read",
    "lifetime": "the same",
    "after": "the same",
    "metadata": "the key has the limits",
    "about": "what is said of a publication: its bytes are counted",
    "attributes": "the kind Account has the limits",
}
"""Fields whose limits the schema does not show, and why."""


def test_every_field_of_a_request_has_a_limit(grid: Grid) -> None:
    for route in WITH_BODY:
        schema = body_schema(route)
        assert schema is not None
        assert {at for at in unlimited(schema, "") if at.rpartition(".")[2] not in UNLIMITED} == set(), route


def unlimited(schema: Schema, at: str) -> Iterator[str]:
    for option in SPOILER.options(schema):
        match option.get("type"):
            case "object":
                if option.get("additionalProperties") is True:
                    yield at
                inner = {"*": option.get("additionalProperties")} | option.get("properties", {})
                for name, one in inner.items():
                    if isinstance(one, Mapping):
                        yield from unlimited(one, f"{at}.{name}")
            case "array":
                yield from [] if "maxItems" in option else [at]
                yield from unlimited(option["items"], at)
            case "string" if not {"maxLength", "enum", "const", "pattern", "format"} & set(option):
                yield at
            case "integer" if not {"maximum", "exclusiveMaximum"} & set(option):
                yield at
            case _:
                pass


@pytest.mark.parametrize("route", WITH_BODY)
async def test_a_spoilt_body_is_refused_and_its_field_named(grid: Grid, route: str) -> None:
    watch, ask, schema = Watch(grid), good(grid.belle)[route], body_schema(route)
    assert schema is not None
    for spoilt in SPOILER.spoil(schema, ask.body):
        said = await watch.refused(ask, f"{route} {spoilt.field} {spoilt.how}", content=spoilt.content, headers=JSON)
        assert said.get("field") == (spoilt.field or "body"), (spoilt.how, said)


@pytest.mark.parametrize("route", WITH_QUERY)
async def test_a_spoilt_query_is_refused_and_its_parameter_named(grid: Grid, route: str) -> None:
    watch, ask = Watch(grid), good(grid.belle)[route]
    for name, schema in parameters(route, "query").items():
        for spoilt in SPOILER.spoil(schema, ask.query[name]):
            if _in_a_query(spoilt):
                said = await watch.refused(
                    ask, f"{route} {name} {spoilt.how}", params={**ask.query, name: spoilt.document}
                )
                assert str(said.get("field")).partition(".")[0] == name, (spoilt.how, said)
    said = await watch.refused(ask, f"{route} nonsense", params={**ask.query, "nonsense": 1})
    assert (said["code"], said["field"]) == ("parameter_unknown", "nonsense")


def _in_a_query(spoilt: Spoilt) -> bool:
    """There, everything is a text, and nothing is half a character."""
    plain = isinstance(spoilt.document, str | int | float) and "\ud800" not in str(spoilt.document)
    return plain and not spoilt.how.startswith("string")


ELSEWHERE = ("GET /rses/{name}/usage", "..")
"""A route and a name with which its path is another's, `GET /usage`, as clients read it."""


@pytest.mark.parametrize("route", WITH_NAMES)
async def test_a_spoilt_name_in_a_path_is_refused(grid: Grid, route: str) -> None:
    watch, ask = Watch(grid), good(grid.belle)[route]
    for name, schema in parameters(route, "path").items():
        number = SPOILER.option(schema, 1).get("type") == "integer"
        for value in (
            ("x", "0", "-1", "1.5", "true", "%31%2f", *HUGE) if number else ("x" * 5000, "..", "a b", "é", "%")
        ):
            if (route, value) != ELSEWHERE:
                await watch.refused(ask.with_names(**{name: value}), f"{route} {name}={value[:30]}")
        for raw, code in (("%00", "not_text"), ("%ff", "not_utf8"), ("%ed%a0%80", "not_utf8"), ("a%c3", "not_utf8")):
            marked = ask.with_names(**{name: "MARK"}).path.replace("MARK", raw)
            said = await watch.refused(ask, f"{route} {raw}", path=marked)
            assert said["code"] == code, (route, raw, said)


BODIES = {
    "nothing": b"",
    "null": b"null",
    "a list": b"[]",
    "half of an object": b'{"a": ',
    "two objects": b"{}{}",
    "a comment": b"{} // done",
    "Latin-1": b'{"name": "\xe9"}',
    "half of a character": b'{"name": "\xed\xa0\x80"}',
    "UTF-16": '{"name": "x"}'.encode("utf-16"),
    "a NUL": b"\0",
    "compressed": gzip.compress(b"{}", mtime=0),
    "deep": b"[" * 100_000,
    "deep and closed": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "a long number": b'{"name": ' + b"9" * 5000 + b"}",
}
MEDIA_TYPES = ("text/plain", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data", "/")
SPREAD = 3


@pytest.mark.parametrize("route", WITH_BODY)
async def test_a_body_that_is_no_json_object_is_refused(grid: Grid, route: str) -> None:
    watch, ask = Watch(grid), good(grid.belle)[route]
    # The same code reads all bodies: each route meets some of them, and each of them many routes.
    for what, body in islice(BODIES.items(), WITH_BODY.index(route) % SPREAD, None, SPREAD):
        await watch.refused(ask, f"{route} {what}", content=body, headers=JSON)
    right = json.dumps(ask.body).encode()
    for media_type in islice(MEDIA_TYPES, WITH_BODY.index(route) % SPREAD, None, SPREAD):
        said = await watch.refused(ask, f"{route} {media_type}", content=right, headers={"content-type": media_type})
        assert "application/json" in said["hint"], media_type


async def test_a_form_where_none_is_expected_or_that_is_broken_is_refused(grid: Grid) -> None:
    watch, asks = Watch(grid), good(grid.belle)
    for route in ("POST /auth/token", "POST /auth/revoke"):
        for media_type, body in (
            ("application/json", b'{"grant_type": "password"}'),
            ("application/x-www-form-urlencoded", b""),
            ("application/x-www-form-urlencoded", b"grant_type=a%00b&token=a%00b"),
            ("application/x-www-form-urlencoded", b"\xff\xfe"),
            ("multipart/form-data", b"nonsense"),
            ("multipart/form-data; boundary=x", b"--x\r\nnonsense"),
        ):
            what = f"{route} {media_type} {body!r}"
            await watch.refused(asks[route], what, content=body, headers={"content-type": media_type})


async def test_a_body_over_the_limit_is_refused_whether_announced_or_not(grid: Grid) -> None:
    watch, ask = Watch(grid), good(grid.belle)["POST /replicas"]

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(33):
            yield b" " * 1_000_000

    for content in (b" " * 33_000_000, pieces()):
        said = await watch.refused(ask, "too large", content=content, headers=JSON)
        assert said["code"] == "body_too_large"


@pytest.mark.parametrize("route", ["GET /whoami", "POST /jobs"])
async def test_odd_headers_are_refused_or_make_no_difference(grid: Grid, route: str) -> None:
    ask = replace(good(grid.belle)[route], account=None)
    token = f"Bearer {grid.served.token()}".encode()
    for name, value, code in (
        (b"authorization", b"Bearer \xff\xfe", "token_invalid"),
        (b"authorization", b"Bearer " + b"a." * 5000, "token_invalid"),
        (b"authorization", b"Bearer ..", "token_invalid"),
        (b"authorization", token + b"." + token, "token_invalid"),
        (b"authorization", b"\xff", "no_token"),
        (b"content-length", b"-5", "length_unclear"),
        (b"content-length", b"\xb2", "length_unclear"),
        (b"content-length", b"9" * 5000, "length_unclear"),
        (b"content-length", b"9" * 20, "body_too_large"),
        (b"traceparent", b"\xff" * 10_000, None),
        (b"traceparent", b"00-" + b"0" * 32 + b"-" + b"0" * 16 + b"-01", None),
        (b"host", b"\xff:99999999", None),
    ):
        headers = [(b"content-type", b"application/json"), (b"authorization", token)]
        headers = [*(h for h in headers if h[0] != name), (name, value)]
        method, path = route.split(" ")
        answer = await grid.served.client.request(method, f"/v1{path}", headers=headers, content=b'{"nonsense": 1}')
        if code is not None or ask.body is not None:
            assert check_refused(answer, str(value[:20]))["code"] == (code or "invalid_request")


async def test_a_sandbox_over_what_was_announced_is_refused(grid: Grid) -> None:
    sandbox = await grid.belle.ask("POST", "/sandboxes", {"sha256": "5" * 64, "size": 3}, status=201)
    for content in (b"abcd", b"ab", b""):
        answer = await grid.served.client.put(sandbox["url"], content=content)
        assert check_refused(answer)["code"] == "size_differs"


async def test_a_query_that_is_no_text_is_refused(grid: Grid) -> None:
    watch, asks = Watch(grid), good(grid.belle)
    for route in WITH_QUERY:
        for raw, code in (("x=%ff", "not_utf8"), ("x=%00", "not_text"), ("%00=x", "not_text")):
            said = await watch.refused(asks[route], f"{route} {raw}", params=None, path=f"{asks[route].path}?{raw}")
            assert said["code"] == code


async def test_an_escaped_slash_in_a_did_is_a_slash(grid: Grid) -> None:
    for route in ("GET /dids/{did:path}", "GET /replicas/{did:path}"):
        ask = good(grid.belle)[route].with_names(did="mc:raw/1")
        answer = await ask.send(grid.belle, path=ask.path.replace("mc:raw/1", quote("mc:raw/1", safe="")))
        assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("case", [*CASES, *JOB_CHANGES], ids=str)
async def test_what_makes_no_sense_is_refused_for_the_right_reason(grid: Grid, case: Case) -> None:
    before = grid.contents.read(NOTED)
    filled = grid.belle if case.vo == "belle" else as_instance(grid)

    body = check_refused(await case.of(good(grid.belle), grid.belle).send(filled, **_raw(case, grid)), str(case))

    assert (body["status"], body["code"], body.get("field")) == (case.status, case.code, case.field), body
    assert grid.contents.read(NOTED) == before


def _raw(case: Case, grid: Grid) -> dict[str, Any]:
    """What the client itself refuses to write, NaN, written by hand."""
    if "nan" not in str(dict(case.body)):
        return {}
    return {"content": json.dumps(case.of(good(grid.belle), grid.belle).body).encode(), "headers": JSON}


async def test_the_good_requests_are_good_and_sent_eight_times_at_once_none_fails(grid: Grid) -> None:
    """The last test: what was refused above was refused for what was wrong with it, and for nothing else."""
    for route, ask in good(grid.belle).items():
        answers = await asyncio.gather(*(ask.send(grid.belle) for _ in range(8)))
        assert max(answer.status_code for answer in answers) < 500, route
        assert route in PRESIGNED or any(answer.is_success for answer in answers), f"{route}: {answers[0].text}"
