"""Retries, patience and problems, as steps: what the network does cannot be ordered from a real server.

The steps are driven without a network and without a clock; what both clients do with them is in `test_client`.
"""

import itertools

import pytest
from httpx2 import ConnectError, ReadError, Request, Response

from sancho_client.call import Call
from sancho_client.errors import AnswerUnclear, Problem, Refused, ServerAway
from sancho_client.exchange import Patience, Steps, carry
from sancho_client.models.base import Answer
from sancho_client.tokens import NO_TOKEN, GivenToken
from tests.client.driving import play


class Thing(Answer):
    name: str


GET: Call[Thing] = Call(method="GET", path="/v1/thing", answer=Thing)
POST: Call[Thing] = Call(method="POST", path="/v1/thing", answer=Thing)
REPEATABLE: Call[Thing] = Call(method="POST", path="/v1/thing", answer=Thing, repeatable=True)
OK = Response(200, json={"name": "a", "new_field": 1})


def steps(call: Call[Thing], seconds: float = 30.0) -> Steps[Thing]:
    def build(token: str | None) -> Request:
        return Request(call.method, "http://server" + call.path, headers={"authorization": f"Bearer {token}"})

    return carry(call, build, GivenToken("one"), Patience(seconds=seconds))


def problem(status: int, code: str = "some_code", **more: object) -> Response:
    body = {"status": status, "code": code, "detail": "It is so.", "field": "did", "hint": "Do that.", **more}
    return Response(status, json=body, headers={"content-type": "application/problem+json"})


def test_an_answer_is_read_and_unknown_fields_are_dropped() -> None:
    assert play(steps(GET), [OK]).result == Thing(name="a")


@pytest.mark.parametrize("call", [GET, POST, REPEATABLE])
def test_any_call_is_repeated_when_the_connection_was_refused(call: Call[Thing]) -> None:
    played = play(steps(call), [ConnectError("refused"), ConnectError("refused"), OK])

    assert played.result == Thing(name="a")
    assert len(played.pauses) == 2


def test_pauses_double_with_jitter() -> None:
    pauses = play(steps(GET), [*[ConnectError("refused")] * 6, OK]).pauses

    assert all(0.1 * 2**n <= pause <= 0.2 * 2**n for n, pause in enumerate(pauses[:5]))
    assert len({round(pause, 6) for pause in pauses}) == 6


@pytest.mark.parametrize("call", [GET, REPEATABLE])
def test_a_repeatable_call_is_sent_again_when_the_connection_broke_on_the_way(call: Call[Thing]) -> None:
    assert play(steps(call), [ReadError("broke"), OK]).result == Thing(name="a")


def test_a_call_that_may_have_been_carried_out_is_not_sent_again() -> None:
    played = play(steps(POST), [ReadError("broke")])

    assert isinstance(played.error, ServerAway)


def test_busy_servers_are_asked_again_when_they_say() -> None:
    busy = Response(429, headers={"retry-after": "7"}, json={"code": "too_many", "detail": "Later."})

    played = play(steps(POST), [busy, OK])

    assert played.result == Thing(name="a")
    assert 7.0 <= played.pauses[0] <= 7.3


def test_a_server_that_is_unavailable_is_asked_again_for_repeatable_calls_only() -> None:
    assert play(steps(GET), [problem(503), OK]).result == Thing(name="a")

    refused = play(steps(POST), [problem(503)])
    assert isinstance(refused.error, Problem)
    assert refused.error.status == 503


def test_patience_ends() -> None:
    played = play(steps(GET, seconds=1.0), itertools.repeat(ConnectError("refused")))

    assert isinstance(played.error, ServerAway)
    assert sum(played.pauses) <= 1.0


def test_a_server_that_asks_for_more_than_our_patience_is_not_waited_for() -> None:
    busy = Response(429, headers={"retry-after": "3600"}, json={"code": "too_many", "detail": "Later."})

    played = play(steps(GET), [busy])

    assert isinstance(played.error, Problem)
    assert played.error.retry_after == 3600
    assert played.pauses == []


def test_a_problem_tells_its_code_field_hint_and_trace() -> None:
    error = play(steps(GET), [problem(422, trace_id="abc", errors=[{"field": "a", "reason": "b"}])]).error

    assert isinstance(error, Problem)
    assert (error.status, error.code, error.message, error.field, error.hint, error.trace_id) == (
        422, "some_code", "It is so.", "did", "Do that.", "abc",
    )  # fmt: skip
    assert [(f.field, f.reason) for f in error.faults] == [("a", "b")]


@pytest.mark.parametrize("status", [401, 403])
def test_who_may_not_is_told_apart(status: int) -> None:
    assert isinstance(play(steps(GET), [problem(status)]).error, Refused)


def test_an_error_that_is_no_problem_is_described() -> None:
    error = play(steps(POST), [Response(502, text="<html>Bad gateway</html>\nmore")]).error

    assert isinstance(error, Problem)
    assert error.message == "The server answered 502 Bad Gateway: <html>Bad gateway</html>"


def test_a_token_that_was_given_is_not_tried_twice() -> None:
    played = play(steps(GET), [problem(401)])

    assert isinstance(played.error, Refused)
    assert len(played.requests) == 1


def test_an_answer_of_another_shape_says_so() -> None:
    error = play(steps(GET), [Response(200, json={"title": "a"})]).error

    assert isinstance(error, AnswerUnclear)
    assert "name" in error.message


def test_public_calls_ask_for_no_token() -> None:
    call: Call[Thing] = Call(method="GET", path="/", answer=Thing, public=True)
    seen: list[str | None] = []

    def build(token: str | None) -> Request:
        seen.append(token)
        return Request("GET", "http://server/")

    play(carry(call, build, NO_TOKEN, Patience(seconds=1)), [OK])

    assert seen == [None]
