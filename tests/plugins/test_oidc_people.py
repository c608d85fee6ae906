"""What an issuer says of people: claims as they are, groups in the forms of the field, and the list of everybody."""

from contextlib import aclosing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sancho_contract.identity import IdentityRefused, Member, ProviderUnavailable
from sancho_plugins.oidc import OidcProvider, OidcSettings
from sancho_plugins.oidc.profiles import group_path
from tests.plugins.faulty_issuer import FaultyIssuer, finish
from tests.realparts.oidc import ODD, OpenIdProvider

# ---- claims


async def test_userinfo_adds_to_what_is_signed_and_replaces_nothing(
    faulty: FaultyIssuer, provider: OidcProvider
) -> None:
    faulty.tokens["id_token"] = faulty.token(email="signed@example.org")
    faulty.userinfo = {"sub": "alice", "email": "other@example.org", "groups": ["/belle"], "iss": "x", "exp": 0}
    found = await finish(provider)
    assert (found.email, found.groups, found.issuer) == ("signed@example.org", ("/belle",), faulty.url)
    assert faulty.authorizations[-1] == "Bearer the-access-token"


async def test_userinfo_of_somebody_else_is_refused(faulty: FaultyIssuer, provider: OidcProvider) -> None:
    faulty.tokens["id_token"] = faulty.token()
    for subject in ("bob", None, ["alice"]):
        faulty.userinfo = {"sub": subject, "groups": ["/belle/admins"]}
        with pytest.raises(IdentityRefused, match="two different people"):
            await finish(provider)


async def test_a_login_without_userinfo_is_no_login_with_fewer_groups(
    faulty: FaultyIssuer, provider: OidcProvider
) -> None:
    faulty.tokens["id_token"], faulty.userinfo = faulty.token(), {}
    faulty.answers["/userinfo"] = (503, {}, b"")
    with pytest.raises(ProviderUnavailable):
        await finish(provider)


async def test_every_claim_of_every_profile_comes_through_as_it_is(faulty: FaultyIssuer) -> None:
    said: dict[str, Any] = {
        "sub": ODD,
        "preferred_username": ODD,
        "uid": ODD,
        "email": ODD,
        "name": ODD,
        "groups": [ODD],
    }
    said |= {"wlcg.groups": [f"/{ODD}"], "isMemberOf": [ODD], "realm_access": {"roles": [ODD]}, "custom": {ODD: [ODD]}}
    for profile in ("generic", "iam", "checkin", "cilogon", "keycloak"):
        faulty.tokens["id_token"] = faulty.token(**said)
        async with aclosing(faulty.provider(profile=profile)) as provider:
            found = await finish(provider)
        assert (found.subject, found.name, found.email) == (ODD, ODD, ODD)
        assert found.claims["custom"] == {ODD: [ODD]}
        path = ODD.strip("/")
        assert set(found.groups) == {
            "checkin": set[str](),
            "keycloak": {f"/{path}", f"/Role={ODD}"},
        }.get(profile, {f"/{path}"})


async def test_an_address_that_the_issuer_has_not_verified_is_none(
    faulty: FaultyIssuer, provider: OidcProvider
) -> None:
    for verified, email in ((True, "a@b.c"), (None, "a@b.c"), ("true", "a@b.c"), (False, None), ("false", None)):
        faulty.tokens["id_token"] = faulty.token(email="a@b.c", email_verified=verified)
        assert (await finish(provider)).email == email


async def test_claims_of_a_form_that_nobody_expects_are_left_out(faulty: FaultyIssuer, provider: OidcProvider) -> None:
    faulty.tokens["id_token"] = faulty.token(
        preferred_username=7, email={"a": "b"}, groups=[None, 7, "", "/", "//", " ", {"name": "x"}, ["y"], "real"]
    )
    found = await finish(provider)
    assert (found.name, found.email, found.groups) == (None, None, ("/real",))


async def test_an_operator_says_which_claim_has_the_groups(faulty: FaultyIssuer) -> None:
    claims: dict[str, Any] = {"groups": ["/no"], "resource": {"sancho": {"roles": ["shifter"]}}, "a.b": "flat"}
    faulty.tokens["id_token"] = faulty.token(**claims)
    for claim, groups in (("resource.sancho.roles", ("/shifter",)), ("a.b", ("/flat",)), ("resource.none.x", ())):
        async with aclosing(faulty.provider(groups_claim=claim)) as provider:
            assert (await finish(provider)).groups == groups


@pytest.mark.parametrize(
    ("said", "path"),
    [
        ("/belle/production", "/belle/production"),
        ("belle", "/belle"),
        ("belle/", "/belle"),
        ("cn=shift\\,ers,ou=groups,dc=example", "/shift,ers"),
        ("CN=belle,O=x", "/belle"),
        ("cn=belle", "/cn=belle"),
        ("CO:COU:belle:members:active", "/CO:COU:belle:members:active"),
        ("urn:mace:egi.eu:group:belle#aai.egi.eu", "/belle"),
        ("urn:mace:egi.eu:group:belle:role=member#aai.egi.eu", "/belle"),
        ("URN:MACE:EGI.EU:group:vo.cta.eu:sub:role=vm%20operator", "/vo.cta.eu/sub/Role=vm operator"),
        ("urn:mace:egi.eu:group:caf%C3%A9", "/café"),
        ("urn:mace:egi.eu:group:belle%2Fadmins", None),
        ("urn:mace:egi.eu:group:belle::admins", None),
        ("urn:mace:egi.eu:group:role=member", None),
        ("urn:mace:egi.eu:res:storage", None),
        ("urn:mace:evil.example:group:belle", None),
        ("urn:mace:evil.example:group:x:urn:mace:egi.eu:group:belle", None),
        ("urn:", None),
        ("", None),
    ],
)
def test_a_group_is_read_from(said: str, path: str | None) -> None:
    assert group_path(said, ["urn:mace:egi.eu"]) == path


@given(st.text(max_size=50) | st.text("urn:mace.gop=l#%/,\\c", max_size=40).map("urn:mace:egi.eu:group:".__add__))
def test_whatever_is_said_a_group_is_a_path_or_nothing(said: str) -> None:
    path = group_path(said, ["urn:mace:egi.eu"])
    assert path is None or (path.startswith("/") and not path.startswith("//"))


# ---- the list of people


async def listed(provider: OidcProvider) -> list[Member]:
    return [member async for member in provider.members()]


async def test_who_is_suspended_or_leaves_is_seen_at_the_next_reading(
    issuers: tuple[OpenIdProvider, OpenIdProvider],
) -> None:
    _, real = issuers
    client = real.register(None)

    async def secret(name: str) -> str:
        return str(client.secret)

    settings = OidcSettings(
        issuer=real.issuer, client_id=client.client_id, client_secret="iam", profile="iam", scim=True, allow_http=True
    )
    async with aclosing(OidcProvider(settings, secret)) as provider:
        real.change_user("dora", email="dora@example.org", **{"wlcg.groups": ["/belle"]})
        expected = Member(subject="dora", active=True, name="dora", email="dora@example.org", groups=("/belle",))
        assert expected in await listed(provider)
        real.change_user("dora", active=False)
        assert [member.active for member in await listed(provider) if member.subject == "dora"] == [False]
        real.remove_user("dora")
        assert "dora" not in {member.subject for member in await listed(provider)}


def page(*subjects: Any, total: int) -> dict[str, Any]:
    people = [one if isinstance(one, dict) else {"id": one, "active": True} for one in subjects]
    return {"totalResults": total, "Resources": people}


@pytest.mark.parametrize(
    ("pages", "error", "reason"),
    [
        ([page("a", "b", total=3), page(total=3)], ProviderUnavailable, "ended"),
        ([page("a", "b", total=4), page("c", total=3)], ProviderUnavailable, "changed"),
        ([page("a", "b", total=4), page("b", "c", total=4)], ProviderUnavailable, "changed"),
        ([page("a", "a", total=2)], ProviderUnavailable, "changed"),
        ([page("a", {"id": "b"}, total=2)], IdentityRefused, "active"),
        ([page("a", {"id": "", "active": True}, total=2)], IdentityRefused, "id"),
        ([page("a", {"id": "b\0", "active": True}, total=2)], IdentityRefused, "NUL"),
        ([{"totalResults": "many"}], IdentityRefused, "totalResults"),
        ([{"Resources": []}], IdentityRefused, "totalResults"),
        ([page(total=-1)], IdentityRefused, "totalResults"),
    ],
)
async def test_a_list_of_people_that_is_not_whole_is_no_list(
    faulty: FaultyIssuer, pages: list[Any], error: type[Exception], reason: str
) -> None:
    faulty.pages = pages
    async with aclosing(faulty.provider(profile="iam", scim=True, client_secret="iam")) as provider:
        with pytest.raises(error, match=reason):
            await listed(provider)


async def test_a_list_of_people_may_lack_what_we_can_do_without(faulty: FaultyIssuer) -> None:
    bare = {"id": "b", "active": False, "userName": None, "emails": [], "groups": [{"value": "x"}, {"display": "/g"}]}
    faulty.pages = [page("a", bare, total=2)]
    async with aclosing(faulty.provider(scim_url=f"{faulty.url}/scim/", scim=True, client_secret="iam")) as provider:
        assert await listed(provider) == [
            Member(subject="a", active=True),
            Member(subject="b", active=False, groups=("/g",)),
        ]
    assert faulty.forms[0]["scope"] == "scim:read"


async def test_a_list_that_we_may_not_read_is_a_refusal(faulty: FaultyIssuer) -> None:
    faulty.answers["/scim/Users"] = (403, {}, b"{}")
    async with aclosing(faulty.provider(profile="iam", scim=True, client_secret="iam")) as provider:
        with pytest.raises(IdentityRefused, match="403"):
            await listed(provider)
