"""DiracX's scopes and properties go to ours and come back."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sancho.compat.diracx import translate
from sancho.compat.diracx.errors import PropertyNotHeld, ScopeUnfit, ScopeUnrecognised
from sancho.compat.diracx.translate import PROPERTIES, WITHOUT_MEANING, Scope
from sancho.identity import plan
from sancho.identity.model import PERMISSIONS, Group, TokenScope
from sancho.vos.model import LOWER_NAME, VO

names = st.from_regex(LOWER_NAME, fullmatch=True)
properties = st.lists(st.sampled_from(sorted(PROPERTIES)), unique=True).map(lambda found: tuple(sorted(found)))
scopes = st.builds(Scope, vo=names, group=st.none() | names, properties=properties)
permissions = st.frozensets(st.sampled_from(sorted(PERMISSIONS)))
groups = st.lists(permissions, max_size=5).map(
    lambda found: [
        Group(group_id=i, vo=1, name=f"group-{i}", permissions=tuple(sorted(each)), share=1)
        for i, each in enumerate(found)
    ]
)


@given(scopes)
def test_a_scope_is_read_as_it_is_written(scope: Scope) -> None:
    assert translate.read_scope(str(scope)) == scope


@given(scopes)
def test_a_scope_becomes_one_of_ours_and_comes_back_with_the_same_rights(scope: Scope) -> None:
    ours = translate.token_scope(scope)

    read = plan.token_scope(ours)
    back = translate.diracx_scope(scope.vo, ours)

    assert isinstance(read, TokenScope)
    assert (read.primary, read.groups) == (scope.group is None, () if scope.group is None else (scope.group,))
    assert read.more == frozenset(translate.permissions_of(scope.properties))
    assert (back.vo, back.group) == (scope.vo, scope.group)
    assert set(scope.properties) <= set(back.properties)
    assert translate.permissions_of(back.properties) == translate.permissions_of(scope.properties)


@given(permissions)
def test_properties_promise_no_permission_that_is_not_held(held: frozenset[str]) -> None:
    assert set(translate.permissions_of(translate.properties_of(held))) <= held


@given(permissions, permissions)
def test_more_permissions_are_never_fewer_properties(some: frozenset[str], others: frozenset[str]) -> None:
    assert set(translate.properties_of(some)) <= set(translate.properties_of(some | others))
    assert translate.properties_of({*some, "*"}) == list(PROPERTIES)


def test_properties_mean_permissions_that_there_are_and_all_of_them_are_known() -> None:
    assert frozenset[str]().union(*PROPERTIES.values()) <= PERMISSIONS
    assert len(PROPERTIES.keys() | WITHOUT_MEANING) == len(PROPERTIES) + len(WITHOUT_MEANING) == 23


@given(groups, permissions, st.booleans())
def test_a_settled_scope_asks_for_what_its_account_has_and_for_nothing_beyond(
    mine: list[Group], more: frozenset[str], first: bool
) -> None:
    named = f"group:{mine[-1].name}" if mine and not first else plan.PRIMARY
    scope = plan.token_scope(" ".join([named, *(f"+{p}" for p in sorted(more))]))
    assert isinstance(scope, TokenScope)
    held = {p for group in mine for p in group.permissions}

    settled = plan.settled(scope, mine)

    if isinstance(settled, str):
        assert not mine or not more <= held
        return
    chosen = mine[0] if first else mine[-1]
    given_by = {p for group in mine if group.name in settled.groups for p in group.permissions}
    assert plan.allowed(settled, given_by) == frozenset(chosen.permissions) | more
    assert translate.group_of(settled.text) == chosen.name
    assert plan.token_scope(settled.text) == settled
    assert not settled.primary
    assert not settled.more


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", ScopeUnfit),
        ("group:users", ScopeUnfit),
        ("vo:", ScopeUnfit),
        ("vo:belle vo:gridpp", ScopeUnfit),
        ("vo:belle group:a group:b", ScopeUnfit),
        ("vo:belle group:", ScopeUnfit),
        ("vo:belle openid", ScopeUnrecognised),
        ("vo:belle property:Everything", ScopeUnrecognised),
        ("vo:belle property:TrustedHost", PropertyNotHeld),
    ],
)
def test_a_scope_that_makes_no_sense_is_refused(text: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        translate.read_scope(text)


def test_metadata_names_the_groups_of_each_vo_and_of_no_other() -> None:
    found = [
        Group(group_id=1, vo=1, name="users", permissions=("jobs:create",), share=1),
        Group(group_id=2, vo=1, name="admins", permissions=("*",), share=1),
        Group(group_id=3, vo=2, name="pilots", permissions=("pilots:report",), share=1),
    ]

    said = translate.metadata([VO(1, "belle"), VO(2, "gridpp"), VO(3, "new")], found, "https://here")

    vos = said.virtual_organizations
    assert {name: list(vo.groups) for name, vo in vos.items()} == {
        "belle": ["users", "admins"], "gridpp": ["pilots"], "new": [],
    }  # fmt: skip
    assert [vo.default_group for vo in vos.values()] == ["users", "pilots", ""]
    assert vos["gridpp"].groups["pilots"].properties == ["GenericPilot"]


@given(st.binary(min_size=1, max_size=64))
def test_the_key_of_a_legacy_service_is_read_from_its_header(key: bytes) -> None:
    assert translate.legacy_key(f"Bearer diracx:legacy:{base64.urlsafe_b64encode(key).decode()}") == key


@pytest.mark.parametrize(
    "header", ["", "Bearer x", "diracx:legacy:YQ==", "Bearer diracx:legacy:é", "Bearer diracx:legacy:a"]
)
def test_another_header_holds_no_key(header: str) -> None:
    assert translate.legacy_key(header) is None
