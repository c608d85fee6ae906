"""The requests that DiracX and Sancho are asked in turns, without either."""

import json
from typing import Any

import pytest

from bench.compare_diracx.__main__ import HEAD
from bench.compare_diracx.recordings import GROUP, RUNNING, WORKLOADS, Known, Workload, groups
from sancho.compat.diracx.jdl_grammar import parse

IDS = list(range(1, RUNNING + GROUP + 1))


def known(token: str = "token") -> Known:
    return Known(token, list(IDS), submitted=len(IDS), etag="abc")


def read(request: bytes) -> tuple[str, str, dict[str, str], Any]:
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    method, path, version = first.split(" ")
    headers = dict(line.split(": ", 1) for line in lines)
    assert version == "HTTP/1.1"
    assert int(headers.get("content-length", 0)) == len(body)
    return method, path, headers, json.loads(body) if body else None


@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda one: one.name)
def test_a_round_is_of_whole_requests_each_with_its_token(workload: Workload) -> None:
    for request in workload.record(known()):
        method, path, headers, body = read(request)
        assert headers["authorization"] == "Bearer token"
        assert path.startswith("/api/")
        assert (method == "GET") == (body is None)
        if path == "/api/jobs/jdl":
            assert len(body) == workload.things
            assert all(parse(text)["Executable"] == "/bin/echo" for text in body)
        if method == "PATCH":
            assert len(body) == workload.things


def test_no_job_says_how_it_goes_twice_in_a_round() -> None:
    heartbeats = next(one for one in WORKLOADS if one.name.startswith("heartbeats"))
    told = [job for request in heartbeats.record(known()) for job in read(request)[3]]
    assert len(told) == len(set(told)) == RUNNING


def test_rounds_submit_other_jobs_each_time() -> None:
    who = known()
    submit = next(one for one in WORKLOADS if one.name == "submit, 20 a call")
    texts = [text for _ in range(2) for request in submit.record(who) for text in read(request)[3]]
    texts += [text for request in groups(who, 2 * GROUP) for text in read(request)[3]]
    assert len(texts) == len(set(texts))
    assert parse(texts[-1])["Parameters"] == str(GROUP)


def test_an_answer_that_lacks_something_is_no_measurement() -> None:
    search = next(one for one in WORKLOADS if one.name.startswith("search"))
    search.check([json.dumps([{}] * GROUP).encode()])
    with pytest.raises(ValueError, match="99 of 100"):
        search.check([json.dumps([{}] * (GROUP - 1)).encode()])


def test_the_table_has_a_rule_below_its_head() -> None:
    head, rule = HEAD.splitlines()
    assert head.count("|") == rule.count("|")
