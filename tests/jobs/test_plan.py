"""Pure decisions about jobs."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sancho.jobs import plan
from sancho.jobs.errors import NoSiteCanRun, ParameterMissing
from sancho.jobs.model import TRANSITIONS, Description, JobState, Output, Reason, Requirement, Slot, fill

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


@pytest.mark.parametrize("reason", list(Reason))
def test_only_faults_of_the_grid_are_tried_again_and_only_while_tries_are_left(reason: Reason) -> None:
    again = JobState.WAITING if reason.worth_retrying else JobState.FAILED
    assert plan.after_failure(reason, attempts=1, max_attempts=3) is again
    assert plan.after_failure(reason, attempts=3, max_attempts=3) is JobState.FAILED


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
