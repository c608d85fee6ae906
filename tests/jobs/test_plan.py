"""Pure decisions about jobs."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sancho.jobs import plan
from sancho.jobs.errors import NoSiteCanRun, ParameterMissing
from sancho.jobs.model import (
    FAULTS,
    TRANSITIONS,
    Description,
    Failure,
    Fault,
    JobState,
    Output,
    Reason,
    Requirement,
    Retry,
    Slot,
    fill,
)

SLOT = Slot(ce="A-CE", site="SITE-A", cores=2, memory=4000, walltime=timedelta(hours=2), tags=frozenset({"gpu"}))


def test_each_job_gets_its_number_from_one_unless_it_brings_its_own() -> None:
    assert plan.rows_with_numbers([{}, {"number": 7}, {"seed": 3}]) == [
        {"number": 1},
        {"number": 7},
        {"number": 3, "seed": 3},
    ]


def test_a_placeholder_without_parameter_is_named() -> None:
    description = Description(name="x", command=("run", "{seed}"), outputs=(Output(path="o", did="mc:f{number}"),))
    with pytest.raises(ParameterMissing, match=r"command uses \{seed\}, but job 1"):
        plan.check_placeholders(description, [{"seed": 1, "number": 1}, {"number": 2}])


def test_the_number_of_a_job_is_known_to_all_but_its_outputs() -> None:
    command = Description(name="x", command=("run", "{job_id}"), environment={"ID": "{job_id}"})
    plan.check_placeholders(command, [{"number": 1}])
    output = Description(name="x", command=("run",), outputs=(Output(path="o", did="mc:f{job_id}"),))
    with pytest.raises(ParameterMissing, match=r"outputs uses \{job_id\}"):
        plan.check_placeholders(output, [{"number": 1}])


def test_only_known_names_in_braces_are_filled_in() -> None:
    assert fill("{a}-{b}-{A}-{{a}}-{0}", {"a": 1}) == "1-{b}-{A}-{1}-{0}"


@given(st.text(), st.dictionaries(st.from_regex("[a-z]{1,3}", fullmatch=True), st.text()))
def test_filling_in_never_fails_and_leaves_texts_without_braces(text: str, parameters: dict[str, str]) -> None:
    filled = fill(text, parameters)
    if "{" not in text:
        assert filled == text


@pytest.mark.parametrize(
    ("need", "why"),
    [
        (Requirement(cores=4, memory=1), "2 of 4 cores"),
        (Requirement(memory=5000), "4000 of 5000 bytes"),
        (Requirement(memory=1, walltime=timedelta(days=100)), "2 h of 100 d wall time"),
        (Requirement(memory=1, tags=("avx",)), "tag avx"),
        (Requirement(memory=1, tags=("of old: a b",)), "tag of old: a b"),
        (Requirement(memory=1, sites=("SITE-B",)), "not at SITE-B"),
        (Requirement(memory=1, banned_sites=("SITE-A",)), "banned"),
    ],
)
def test_a_job_that_no_slot_fits_says_what_the_nearest_lacks(need: Requirement, why: str) -> None:
    with pytest.raises(NoSiteCanRun, match=why):
        plan.check_feasible([need], [SLOT])


def test_a_job_that_fits_is_accepted() -> None:
    plan.check_feasible([Requirement(memory=4000, cores=2, tags=("gpu",), sites=("SITE-A",))], [SLOT])


def test_before_there_is_any_ce_nothing_is_known_and_jobs_wait() -> None:
    assert plan.check_feasible([Requirement()], []) == 0


def test_sites_that_could_run_a_job_are_counted_by_any_of_its_ways() -> None:
    slots = [replace(SLOT, ce=f"{n}-CE", site=f"SITE-{n % 2}", cores=n) for n in range(1, 5)]
    ways = [Requirement(cores=4, memory=1), Requirement(cores=3, memory=1, tags=("gpu",))]
    assert plan.check_feasible(ways, slots) == 2
    assert plan.check_feasible(ways[:1], slots) == 1


def test_what_none_can_ever_run_waits_only_when_it_says_so() -> None:
    need, slots = Requirement(cores=9, memory=1), [replace(SLOT, ce=f"CE-{n}") for n in range(9)]
    with pytest.raises(NoSiteCanRun) as caught:
        plan.check_feasible([need], slots)
    ces = str(caught.value.facts["ces"])
    assert ces.startswith("CE-0: 2 of 9 cores; CE-1: 2 of 9 cores")
    assert ces.endswith("and 4 more")
    assert plan.check_feasible([need], slots, anyway=True) == 0


REASONS = st.sampled_from([None, *Reason])
RETRIES = st.builds(
    Retry, site=st.none() | st.integers(0, 5), data=st.integers(0, 5), job=st.integers(0, 5)
)  # fmt: skip


def failures(reasons: list[Reason | None]) -> list[Failure]:
    """Failed attempts of a job, the last one last."""
    return [Failure(job_id=1, reason=reason, site="SITE-A", site_id=7, recent=True) for reason in reasons]


def test_every_reason_is_somebodys_fault() -> None:
    assert set(FAULTS) == set(Reason)


@given(st.lists(REASONS, min_size=1, max_size=12), RETRIES, st.integers(1, 10))
def test_a_job_is_tried_again_as_often_as_it_says_and_never_beyond_its_attempts(
    reasons: list[Reason | None], retry: Retry, most: int
) -> None:
    past = failures(reasons)
    lived = [
        n for n in range(1, len(past) + 1)
        if plan.after_failure(past[:n], retry, attempts=n, max_attempts=most) is JobState.WAITING
    ]  # fmt: skip
    assert all(n < most for n in lived)
    for fault in Fault:
        of_it = [n for n in lived if (FAULTS[r] if (r := reasons[n - 1]) else Fault.SITE) is fault]
        allowed = retry.most(fault)
        assert allowed is None or len(of_it) <= allowed
        assert fault is not Fault.USER or not of_it
    for n in set(range(1, len(past) + 1)) - set(lived):
        fault = FAULTS[r] if (r := reasons[n - 1]) else Fault.SITE
        alike = sum(1 for r in reasons[:n] if (FAULTS[r] if r else Fault.SITE) is fault)
        allowed = retry.most(fault)
        assert n >= most or (allowed is not None and alike > allowed), "it is given up for no other cause"


@given(st.lists(st.tuples(REASONS, st.sampled_from([1, 3, 4, None])), min_size=1, max_size=12), st.integers(1, 10))
def test_what_a_payload_says_by_its_exit_code_comes_before_whose_fault_it_is(
    ended: list[tuple[Reason | None, int | None]], most: int
) -> None:
    retry = Retry(job=1, temporary=(3,), permanent=(4,))
    past = [replace(failures([reason])[0], exit_code=code) for reason, code in ended]
    (reason, code), count = ended[-1], len(past)
    state = plan.after_failure(past, retry, attempts=count, max_attempts=most)
    if reason is Reason.PAYLOAD_FAILED and code in (3, 4):
        assert (state is JobState.WAITING) == (code == 3 and count < most)
    else:
        others = [one for one in past if one.reason is not Reason.PAYLOAD_FAILED or one.exit_code not in (3, 4)]
        assert state is plan.after_failure(others, replace(retry, temporary=None, permanent=None),
                                           attempts=count, max_attempts=most)  # fmt: skip


def test_by_default_what_is_not_the_jobs_fault_is_tried_again() -> None:
    for reason, fault in FAULTS.items():
        state = plan.after_failure(failures([reason]), Retry(), attempts=1, max_attempts=3)
        assert state is (JobState.WAITING if fault in (Fault.SITE, Fault.DATA) else JobState.FAILED), reason


def test_sites_are_avoided_as_long_as_another_slot_fits() -> None:
    other = replace(SLOT, ce="B-CE", site="SITE-B")
    third = replace(SLOT, ce="C-CE", site="SITE-C", cores=1)
    lost = Failure(job_id=1, reason=Reason.UPLOAD_FAILED, site="SITE-A", site_id=1, recent=True)
    lost_at_b = replace(lost, site="SITE-B", site_id=2)
    one, two = [Requirement(memory=1)], [Requirement(memory=1, cores=2)]
    assert plan.to_avoid([lost], one, [SLOT, other]) == (1,)
    assert plan.to_avoid([lost], one, [SLOT]) == ()
    assert plan.to_avoid([lost, lost_at_b], one, [SLOT, other, third]) == (1, 2)
    assert plan.to_avoid([lost, lost_at_b], two, [SLOT, other, third]) == (2,)
    assert plan.to_avoid([replace(lost, recent=False), lost_at_b], one, [SLOT, other, third]) == (2,)
    assert plan.to_avoid([lost, replace(lost_at_b, reason=Reason.PAYLOAD_FAILED)], one, [SLOT, other]) == ()
    for reason in (Reason.PILOT_LOST, Reason.PILOT_STOPPED):
        silent = replace(lost, reason=reason)
        assert plan.to_avoid([silent], one, [SLOT, other]) == ()
        assert plan.to_avoid([silent, silent], one, [SLOT, other]) == (1,)
        assert plan.to_avoid([silent, replace(silent, site="SITE-B", site_id=2)], one, [SLOT, other]) == ()
    (way,) = plan.elsewhere([Requirement(banned_sites=("9",))], (2, 1))
    assert way.banned_sites == ("1", "2", "9")


def test_every_state_is_in_the_table_and_done_is_the_end() -> None:
    assert set(TRANSITIONS) == set(JobState)
    assert TRANSITIONS[JobState.DONE] == frozenset()


@given(st.permutations([5, 6, 7]))
def test_the_order_of_inputs_makes_no_other_set(ids: list[int]) -> None:
    assert plan.input_digest(ids, {}) == plan.input_digest([5, 6, 7, 7], {})


def test_inputs_of_others_make_another_set() -> None:
    own, shared = plan.by_owner(["mc:a/b", "belle/mc:run2", "belle/mc:run1", "na62/mc:run1", "belle/mc:run1"])
    assert (own, shared) == (["mc:a/b"], {"belle": ["mc:run1", "mc:run2"], "na62": ["mc:run1"]})
    some: list[dict[str, list[str]]] = [{}, shared, {"belle": ["mc:run1"]}, {"na62": ["mc:run1"]}]
    assert len({plan.input_digest([1], one) for one in some}) == len(some)


def test_jobs_share_a_queue_only_when_they_need_the_same() -> None:
    alice = {"group_id": 1, "account_id": 1, "type": None, "priority": 0}
    same = plan.queue_digest(alice, [Requirement(tags=("a", "b"))], None)
    assert plan.queue_digest(alice, [Requirement(tags=("b", "a"))], None) == same
    others = [
        *(plan.queue_digest({**alice, name: 2}, [Requirement(tags=("a", "b"))], None) for name in alice),
        plan.queue_digest(alice, [Requirement(tags=("a",))], None),
        plan.queue_digest(alice, [Requirement(tags=("a", "b"))], 9),
        plan.queue_digest(alice, [Requirement(tags=("a", "b")), Requirement(cores=2)], None),
    ]
    assert same not in others
    assert len(set(others)) == 7
