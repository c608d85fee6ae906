"""Policies: a denial wins, nobody gives what they do not have, and narrower administrators stay in their place."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sancho.decisions.errors import LocksOut, PolicyPluginUnfit
from sancho.identity.errors import BeyondYours
from sancho.kit.access import (
    NotYours,
    PolicyDenies,
    Principal,
    Rights,
    decide,
    may_give,
    require,
    require_owner,
)
from sancho.kit.db import Connection
from sancho.kit.errors import PermissionMissing
from sancho.kit.policy import Effect, Policy, any_covers, contains, covers, meet, spell
from sancho.parts import KINDS
from sancho.vos import service as vos
from sancho.vos.errors import DocumentInvalid, NotYourConfiguration, ReferenceUnknown
from sancho.vos.model import Applied, Document
from sancho_contract.policy import NO_OPINION, Answer, Opinion, Question
from tests.identity.helpers import ROOT, acting
from tests.served import Served

PERMISSIONS = ["rules:create", "jobs:create", "dids:manage"]
NAMES = st.sampled_from(["mc:run7/f", "mc:run7", "mc:run77/f", "raw:a/b", "user.alice:x", "mc:"])
THINGS = st.one_of(NAMES.map(spell), st.sampled_from(["site:LYON", "site:LYON2", "tag:gpu", "job:7"]))
PATTERNS = st.one_of(
    THINGS, THINGS.map(lambda t: f"{t}*"), st.sampled_from(["did:*", "did:mc:r*", "site:*", "did:mc:"])
)


def policies(vo: int = 1, effects: Iterable[Effect] = (Effect.ALLOW, Effect.DENY)) -> st.SearchStrategy[Policy]:
    return st.builds(
        Policy,
        vo=st.just(vo),
        name=st.sampled_from(["one", "two", "three"]),
        effect=st.sampled_from(list(effects)),
        permissions=st.frozensets(st.sampled_from([*PERMISSIONS, "*"]), min_size=1),
        groups=st.frozensets(st.sampled_from(["users", "production"])),
        accounts=st.frozensets(st.sampled_from(["alice", "bob"])),
        on=st.lists(PATTERNS, max_size=3).map(tuple),
        reason=st.just("because"),
    )


def alice(rules: Sequence[Policy] = (), *, held: Iterable[str] = (), vo: int = 1) -> Principal:
    return Principal(
        vo=vo, vo_name="belle", account_id=7, account="alice", groups=("users",), permissions=frozenset(held),
        vos=(vo,), rights=Rights(roles=(("users", frozenset(held)),), policies=tuple(rules)),
    )  # fmt: skip


def policy(
    effect: Effect = Effect.DENY, *, on: Sequence[str] = (), permission: str = "rules:create", **more: Any
) -> Policy:
    facts: dict[str, Any] = {"vo": 1, "name": "freeze", "reason": "the data are frozen"}
    permissions = frozenset({permission})
    return Policy(effect=effect, permissions=permissions, on=tuple(map(spell, on)), **(facts | more))


HELD = st.frozensets(st.sampled_from([*PERMISSIONS, "*"]))
ON = st.one_of(st.none(), THINGS, st.lists(THINGS, max_size=4))
ASKED = st.sampled_from(PERMISSIONS)


# ---- decide


@given(st.lists(policies(), max_size=5), HELD, ASKED, THINGS, st.booleans())
def test_a_denial_wins_over_groups_policies_and_ownership(
    rules: list[Policy], held: frozenset[str], permission: str, thing: str, own: bool
) -> None:
    denying = [p for p in rules if p.effect is Effect.DENY and p.concerns(permission, "alice", ("users",))]

    decision = decide(alice(rules, held=held), permission, thing, own=own)

    if any(p.touches(thing) for p in denying):
        assert (decision.allowed, decision.policy is not None) == (False, True)
    else:
        assert decision.policy is None


@given(st.lists(policies(), max_size=5), policies(effects=[Effect.DENY]), HELD, ASKED, ON)
def test_one_more_denial_never_allows_more(
    rules: list[Policy], more: Policy, held: frozenset[str], permission: str, on: Any
) -> None:
    before = decide(alice(rules, held=held), permission, on)
    after = decide(alice([*rules, more], held=held), permission, on)

    assert before.allowed or not after.allowed


@given(st.lists(policies(vo=2), max_size=5), HELD, ASKED, ON, st.booleans())
def test_no_policy_of_one_vo_concerns_another(
    rules: list[Policy], held: frozenset[str], permission: str, on: Any, own: bool
) -> None:
    with_theirs, without = alice(rules, held=held), alice(held=held)

    assert decide(with_theirs, permission, on, own=own) == decide(without, permission, on, own=own)
    assert with_theirs.may_somewhere(permission) == without.may_somewhere(permission)


@given(st.lists(policies(), max_size=4), HELD, ASKED, st.lists(THINGS, min_size=1, max_size=5))
def test_many_things_are_allowed_exactly_when_each_is(
    rules: list[Policy], held: frozenset[str], permission: str, things: list[str]
) -> None:
    caller = alice(rules, held=held)

    together = decide(caller, permission, things)

    assert together.allowed == all(decide(caller, permission, thing).allowed for thing in things)
    assert not together.allowed or together.items == len(set(things))


@given(st.lists(policies(), max_size=5), HELD, ASKED, ON)
def test_every_decision_says_why(rules: list[Policy], held: frozenset[str], permission: str, on: Any) -> None:
    decision = decide(alice(rules, held=held), permission, on)

    assert [s for s in decision.because if s.strip()] == [*decision.because] != []


@given(st.lists(policies(), max_size=5), HELD, ASKED, st.one_of(st.none(), PATTERNS), THINGS)
def test_what_somebody_may_give_they_have(
    rules: list[Policy], held: frozenset[str], permission: str, pattern: str | None, thing: str
) -> None:
    caller = alice(rules, held=held - {"*"})

    if may_give(caller, permission, pattern) and (pattern is None or covers(pattern, thing)):
        assert decide(caller, permission, thing).allowed


@given(st.lists(PATTERNS, max_size=4).map(tuple), st.one_of(st.none(), THINGS))
def test_the_quick_way_finds_what_the_plain_one_does(patterns: tuple[str, ...], thing: str | None) -> None:
    assert any_covers(patterns, thing) == (thing is not None and any(covers(p, thing) for p in patterns))


@given(PATTERNS, PATTERNS, THINGS)
def test_patterns_that_contain_or_meet_agree_on_things(one: str, other: str, thing: str) -> None:
    if contains(one, other) and covers(other, thing):
        assert covers(one, thing)
    if covers(one, thing) and covers(other, thing):
        assert meet(one, other)


@pytest.mark.parametrize(
    ("pattern", "thing", "meant"),
    [
        ("mc:run7", "did:mc:run7", True),
        ("mc:run7", "did:mc:run7/f.root", True),
        ("mc:run7", "did:mc:run77", False),
        ("mc:/run7", "did:mc:run7/f.root", True),
        ("mc:", "did:mc:anything", True),
        ("mc:", "did:mc2:anything", False),
        ("user.*", "did:user.alice:f", True),
        ("site:LYON", "site:LYON", True),
        ("site:LYON", "site:LYON2", False),
        ("site:LYON", "did:site:LYON", False),
        ("did:site:LYON", "did:site:LYON", True),
        ("tag:gpu", "tag:gpu", True),
    ],
)
def test_a_pattern_means_a_thing_and_what_is_below_it(pattern: str, thing: str, meant: bool) -> None:
    assert covers(spell(pattern), thing) is meant


def test_a_refusal_names_the_policy_and_its_reason() -> None:
    caller = alice([policy(on=["mc:"])], held={"rules:create"})

    with pytest.raises(PolicyDenies, match="Policy freeze denies rules:create on did:mc:x: the data are frozen"):
        require(caller, "rules:create", on=["did:raw:y", "did:mc:x"])
    require(caller, "rules:create", on="did:raw:y")
    with pytest.raises(PermissionMissing):
        require(caller, "jobs:create")


def test_an_allowance_is_for_what_it_names_only() -> None:
    caller = alice([policy(Effect.ALLOW, on=["mc:run7"])])

    require(caller, "rules:create", on="did:mc:run7/f")
    for on in ("did:mc:run8/f", ["did:mc:run7/f", "did:mc:run8/f"], None):
        with pytest.raises(PermissionMissing):
            require(caller, "rules:create", on=on)


def test_an_owner_passes_unless_a_policy_denies_it() -> None:
    frozen = alice([policy(permission="rules:manage", on=["mc:"])])

    require_owner(alice(), 7, "rules:manage", what="Rule 1", owner="alice", on="did:mc:x")
    with pytest.raises(PolicyDenies):
        require_owner(frozen, 7, "rules:manage", what="Rule 1", owner="alice", on="did:mc:x")
    with pytest.raises(NotYours):
        require_owner(alice(), 8, "rules:manage", what="Rule 1", owner="bob")


def test_a_policy_does_not_widen_a_token_and_a_token_does_not_evade_a_policy() -> None:
    allowing = alice([policy(Effect.ALLOW, on=["mc:"]), policy(Effect.ALLOW, permission="jobs:create")])
    narrowed = replace(allowing, limit=frozenset({"jobs:create"}))
    assert (narrowed.may("rules:create", "did:mc:x"), narrowed.may("jobs:create")) == (False, True)
    assert not may_give(narrowed, "rules:create", "did:mc:x")
    assert not narrowed.may_somewhere("rules:create")

    groups = Rights(
        roles=(("production", frozenset()), ("users", frozenset({"rules:create"}))),
        policies=(policy(groups=frozenset({"production"})),),
    )
    as_user_only = replace(alice(held={"rules:create"}), groups=("users",), rights=groups)
    assert not as_user_only.may("rules:create", "did:mc:x")


class Answers:
    """A plugin that says what it was made to say."""

    Settings: Any = None

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.asked: list[Question] = []

    def judge(self, question: Question) -> Answer:
        self.asked.append(question)
        return self.answer


def test_a_plugin_denies_allows_or_leaves_it_to_others() -> None:
    def ask(answer: Answer, *held: str) -> bool:
        plugin = Answers(answer)
        caller = alice([policy(Effect.PLUGIN, plugin=plugin)], held=held)
        allowed = decide(caller, "rules:create", ["did:mc:x", "did:mc:y"]).allowed
        assert {q.account for q in plugin.asked} == {"alice"}
        return allowed

    assert not ask(Answer(Opinion.DENY, "no"), "rules:create")
    assert ask(Answer(Opinion.ALLOW, "yes"))
    assert not ask(NO_OPINION)
    assert ask(NO_OPINION, "rules:create")


# ---- documents


def document(name: str = "freeze", **spec: Any) -> Document:
    facts: dict[str, Any] = {"effect": "deny", "permissions": ["rules:create"], "groups": ["users"], "reason": "frozen"}
    return Document(
        kind="Policy", name=name, vo="belle", spec={k: v for k, v in (facts | spec).items() if v is not None}
    )


async def apply(conn: Connection, *documents: Document, caller: Principal = ROOT) -> Applied:
    return await vos.apply(conn, caller, documents, KINDS)


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"effect": None}, "spec"),
        ({"plugin": "own-area"}, "spec"),
        ({"permissions": ["rules:eat"]}, "spec.permissions"),
        ({"permissions": []}, "spec.permissions"),
        ({"things": ["everything"]}, "spec.things.0"),
        ({"things": ["mc:*/f"]}, "spec.things.0"),
        ({"reason": ""}, "spec.reason"),
    ],
)
async def test_a_policy_that_makes_no_sense_is_refused(conn: Connection, spec: Any, field: str) -> None:
    with pytest.raises(DocumentInvalid) as e:
        await apply(conn, document(**spec))
    assert e.value.field == f"documents.0.{field}"


@pytest.mark.parametrize("spec", [{"groups": ["nobody"]}, {"accounts": ["nobody"]}])
async def test_a_policy_that_names_nobody_is_refused(conn: Connection, spec: Any) -> None:
    with pytest.raises(ReferenceUnknown):
        await apply(conn, document(**spec))


async def test_a_policy_needs_an_installed_plugin_with_fitting_settings(conn: Connection) -> None:
    asked: dict[str, Any] = {"effect": None, "groups": []}
    await apply(conn, document(plugin="own-area", settings={"areas": ["mc:users/{account}"]}, **asked))
    with pytest.raises(PolicyPluginUnfit, match="areas"):
        await apply(conn, document(plugin="own-area", settings={"areas": []}, **asked))
    with pytest.raises(PolicyPluginUnfit, match="none-such"):
        await apply(conn, document(plugin="none-such", **asked))


async def test_nobody_gives_or_takes_by_a_policy_what_they_do_not_have(conn: Connection) -> None:
    held = ("policies:manage", "rules:create")
    carol = acting(1, "belle", 9, "carol", *held)
    await apply(conn, document(), document("give", effect="allow", things=["mc:"]), caller=carol)
    for wrong in ({"permissions": ["jobs:create"]}, {"permissions": ["*"]}):
        with pytest.raises(BeyondYours):
            await apply(conn, document("more", **wrong), caller=carol)

    await apply(conn, document("jobs", permissions=["jobs:create"]))
    with pytest.raises(BeyondYours):
        await apply(conn, document("jobs"), caller=carol)
    with pytest.raises(BeyondYours):
        await apply(conn, Document(kind="Policy", name="jobs", vo="belle", remove=True), caller=carol)


async def test_nobody_locks_themselves_out(conn: Connection) -> None:
    root = acting(1, "belle", 3, "root", "*")
    with pytest.raises(LocksOut):
        await apply(conn, document(permissions=["*"], groups=[]), caller=root)
    await apply(conn, document(permissions=["*"], groups=["users"]), caller=root)


async def test_a_removed_policy_is_gone(served: Served) -> None:
    async def rules() -> int:
        answer = await served.send("GET", "/can", params={"permission": "rules:create"})
        return answer.json()["allowed"]

    async def change(**more: Any) -> None:
        said = {"kind": "Policy", "name": "freeze", **more}
        answer = await served.send("POST", "/configuration/apply", account="root", json={"documents": [said]})
        assert answer.status_code == 200, answer.text

    assert await rules()
    await change(spec={"effect": "deny", "permissions": ["rules:create"], "reason": "frozen"})
    assert not await rules()
    await change(remove=True)
    assert await rules()


# ---- narrower administrators


async def test_a_permission_of_a_kind_is_enough_for_its_documents(conn: Connection) -> None:
    helper = acting(
        1, "belle", 9, "carol", "accounts:manage", "jobs:create", "dids:create", "rules:create", "uploads:create"
    )
    new = Document(kind="Account", name="dave", spec={"groups": ["users"]})
    assert [c.name for c in (await apply(conn, new, caller=helper)).changes] == ["dave"]

    with pytest.raises(BeyondYours):
        await apply(conn, Document(kind="Account", name="dave", spec={"groups": ["admins"]}), caller=helper)
    with pytest.raises(PermissionMissing):
        await apply(conn, Document(kind="Group", name="mine", spec={}), caller=helper)
    with pytest.raises(NotYourConfiguration):
        await apply(conn, Document(kind="Account", name="dave", vo="gridpp", spec={}), caller=helper)
    with pytest.raises(PermissionMissing):
        await apply(conn, Document(kind="VO", name="mine"), caller=helper)


async def test_who_may_configure_nothing_does_not_learn_what_there_is(conn: Connection) -> None:
    there = Document(kind="Group", name="secret", vo="belle", spec={"share": 7})
    await apply(conn, there)

    user = acting(1, "belle", 9, "carol", "jobs:create")
    helper = acting(1, "belle", 9, "carol", "accounts:manage")
    for caller in (user, helper):
        with pytest.raises(PermissionMissing):
            await apply(conn, there, caller=caller)


def site_admin(*sites: str) -> Principal:
    on = ["plugin:local", *(f"site:{site}" for site in sites)]
    grant = policy(Effect.ALLOW, on=on, permission="topology:manage", vo=0)
    return replace(acting(0, "instance", 9, "lyon"), rights=Rights(policies=(grant,)), vos=(0, 1, 2))


def ce(site: str, name: str = "NEW-CE") -> Document:
    return Document(
        kind="ComputeElement", name=name, spec={"site": site, "plugin": "local", "settings": {"folder": "/nowhere"}}
    )


async def test_a_site_administrator_manages_that_site_only(conn: Connection) -> None:
    lyon = site_admin("SITE-A")
    await apply(conn, ce("SITE-A"), caller=lyon)
    await apply(conn, Document(kind="Site", name="SITE-A", spec={"enabled": False}), caller=lyon)

    for wrong in (
        ce("SITE-B"),
        ce("SITE-B", "OTHER-CE"),
        Document(kind="Site", name="SITE-B", spec={}),
        Document(kind="Site", name="SITE-C", spec={}),
        Document(kind="Grant", name="g", spec={"resource": {"kind": "Site", "name": "SITE-A"}, "to": ["belle"]}),
        Document(kind="RSE", name="A-MINE", spec={"site": "SITE-A", "plugin": "posix", "prefix": "file:///"}),
    ):
        with pytest.raises(PermissionMissing):
            await apply(conn, wrong, caller=lyon)


async def test_a_ce_of_another_site_is_not_taken_over(conn: Connection) -> None:
    await apply(conn, ce("SITE-B"))

    with pytest.raises(PermissionMissing):
        await apply(conn, ce("SITE-A"), caller=site_admin("SITE-A"))
    with pytest.raises(PermissionMissing):
        await apply(conn, Document(kind="ComputeElement", name="NEW-CE", remove=True), caller=site_admin("SITE-A"))
