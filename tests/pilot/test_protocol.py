"""The pilot's side of `protocol.json`: all that it says is in there, and it understands what the server may answer.

Every other test of a pilot's process looks as well: the stand-in for the server refuses what is not in the protocol.
"""

import signal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sancho_pilot import cache, tail, wire
from sancho_pilot.machine import DONE
from sancho_pilot.model import Product, Report, Slot, Usage
from tests.pilot.conftest import Pilots
from tests.pilot.given import archive, output
from tests.pilot.stand_in import StandIn
from tests.protocol import CALLS, NotInProtocol, check_exchange, check_request

ID = st.integers(1, 2**63 - 2)
AMOUNT = st.integers(0, 2**63 - 1)
SECONDS = st.floats(0, 1e8)
TEXT = st.text(st.characters(exclude_categories=[]), max_size=3000)
WORD = st.text(min_size=1, max_size=100)
DIGEST = st.text("0123456789abcdef", min_size=64, max_size=64)
ADLER32 = st.text("0123456789abcdef", min_size=8, max_size=8)
LOG = st.text(max_size=tail.LENGTH)

SLOT = st.builds(
    Slot, cores=st.integers(1, 4096), memory=ID, walltime=SECONDS, tags=st.lists(WORD, max_size=20).map(tuple),
    idle=SECONDS,
)  # fmt: skip
PRODUCT = st.builds(Product, number=st.integers(0, 999), path=WORD, size=st.integers(0, 2**50), adler32=ADLER32)
REPORT = st.builds(
    Report, outcome=st.sampled_from(["done", "failed"]), exit_code=st.none() | st.integers(-64, 255),
    reason=st.none() | st.sampled_from(["payload_failed", "upload_failed"]), detail=TEXT,
    intents=st.lists(ID, max_size=20).map(tuple), usage=st.builds(Usage, wall=SECONDS, cpu=SECONDS, memory=AMOUNT),
    sandbox=st.none() | DIGEST,
)  # fmt: skip
SOURCE = st.fixed_dictionaries({"rse": WORD, "url": WORD, "token": WORD})
INPUT = {"did": WORD, "name": WORD, "size": AMOUNT, "adler32": st.none() | ADLER32, "sources": st.lists(SOURCE)}
ASSIGNMENT = st.fixed_dictionaries(
    {
        "attempt_id": ID, "job_id": ID, "number": st.integers(1, 99), "command": st.lists(WORD, min_size=1),
        "environment": st.dictionaries(WORD, TEXT, max_size=3), "environments": st.lists(WORD),
        "walltime": SECONDS, "cores": st.integers(1, 4096),
        "memory": AMOUNT, "inputs": st.lists(st.fixed_dictionaries(INPUT), max_size=3),
        "input_sandbox": st.none() | st.fixed_dictionaries({"url": WORD, "sha256": DIGEST, "size": AMOUNT}),
        "outputs": st.lists(
            st.fixed_dictionaries({"number": st.integers(0, 999), "path": WORD, "did": WORD}), max_size=3
        ),
        "output_sandbox": st.lists(WORD), "traceparent": st.none() | WORD,
        "token": WORD, "vo": WORD,
    }
)  # fmt: skip
UPLOAD = st.fixed_dictionaries({"number": AMOUNT, "intent_id": ID, "rse": WORD, "url": WORD, "token": WORD})
BEAT_ANSWER = st.fixed_dictionaries(
    {
        "commands": st.lists(st.fixed_dictionaries({"attempt_id": ID, "command": st.just("kill"), "command_id": ID})),
        "attempts": st.dictionaries(ID.map(str), st.sampled_from(["known", "ended"])),
        "beat_every": st.none() | st.floats(0, 100),
    }
)


def test_a_pilot_makes_every_call_of_the_protocol(pilots: Pilots, server: StandIn) -> None:
    server.job(
        "./run", input_sandbox=server.sandbox(archive(run="#!/bin/sh\necho x > out")), outputs=[output(0, "out")]
    )
    assert pilots.run(die_at="pilot.matched") == -signal.SIGKILL
    assert pilots.run() == DONE
    assert server.calls == set(CALLS)


@given(SLOT, SLOT, st.lists(ID, max_size=20), st.lists(st.from_regex(cache.DID, fullmatch=True), max_size=5))
def test_every_offer_is_in_the_protocol(free: Slot, whole: Slot, held: list[int], warm: list[str]) -> None:
    said = wire.offer(free, tuple(held), answered=bool(held))
    more = wire.more(free, whole, ("belle", tuple(warm)))
    check_request("POST", "/v1/pilot/match", {**said, **more})
    assert ("warm" in more) == bool(warm)
    assert ("whole" in more) == ((free.cores, free.memory) != (whole.cores, whole.memory))


@given(ID, st.sampled_from(["running", "completing"]), LOG, AMOUNT, SECONDS, AMOUNT)
def test_every_sign_of_life_is_in_the_protocol(
    attempt_id: int, state: str, log: str, size: int, cpu: float, memory: int
) -> None:
    sign = wire.beat(attempt_id, state, (log, size), (cpu, memory))
    check_request("POST", "/v1/pilot/beat", {"beats": [sign]})


@given(st.lists(PRODUCT, min_size=1, max_size=20))
def test_every_list_of_outputs_is_in_the_protocol(products: list[Product]) -> None:
    check_request("POST", "/v1/pilot/attempts/1/outputs", wire.outputs(tuple(products)))


@given(REPORT, LOG, AMOUNT)
def test_every_report_is_in_the_protocol(report: Report, log: str, size: int) -> None:
    check_request("POST", "/v1/pilot/attempts/1/finish", wire.report(report, log, size))


@given(ASSIGNMENT)
def test_every_assignment_of_the_protocol_is_understood(said: dict[str, Any]) -> None:
    check_exchange("GET", "/v1/pilot/attempts/1", None, 200, said)
    work, access = wire.assignment(said)
    assert (work.attempt_id, list(access.command)) == (said["attempt_id"], said["command"])


@given(st.lists(UPLOAD), BEAT_ANSWER)
def test_every_grant_and_every_answer_to_a_sign_of_life_is_understood(
    uploads: list[dict[str, Any]], answer: dict[str, Any]
) -> None:
    asked = {"outputs": [{"number": 0, "size": 0, "adler32": "00000001"}]}
    check_exchange("POST", "/v1/pilot/attempts/1/outputs", asked, 200, {"uploads": uploads})
    check_exchange("POST", "/v1/pilot/beat", {"beats": []}, 200, answer)
    leave, targets = wire.uploads({"uploads": uploads})
    assert len(leave) == len(uploads) >= len(targets)
    heard = wire.beat_answer(answer)
    assert list(heard.kill) == [one["attempt_id"] for one in answer["commands"]]
    assert list(heard.commands) == [one["command_id"] for one in answer["commands"]]
    assert (heard.beat_every is None) == (answer["beat_every"] is None)
    assert {str(n) for n in heard.ended} == {n for n, state in answer["attempts"].items() if state == "ended"}


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (200, None),
        (200, {"state": 1}),
        (204, None),
        (404, {"detail": "the proxy has lost its server"}),
        (
            418,
            {"type": "urn:sancho:problem:teapot", "title": "teapot", "status": 418, "code": "teapot", "detail": "no"},
        ),
    ],
    ids=str,
)
def test_the_protocol_does_not_take_just_anything(status: int, answer: Any) -> None:
    with pytest.raises(NotInProtocol):
        check_exchange("POST", "/v1/pilot/attempts/1/finish", {"outcome": "done"}, status, answer)
    with pytest.raises(NotInProtocol):
        check_request("POST", "/v1/pilot/attempts/0/finish", {"outcome": "done"})
    with pytest.raises(NotInProtocol):
        check_request("POST", "/v1/pilot/beat", {"beats": [{"attempt_id": 1, "state": "running", "at": "now"}]})
