"""What every identity provider plugin must pass.

    class TestMyProvider(IdentityConformance):
        @asynccontextmanager
        async def desk(self):
            yield Desk(provider=MyProvider(...), log_in=browser, person=Person(...), ...)

Needs pytest and nothing else; each test opens a desk of its own and runs in an event loop of its own.
"""

import asyncio
import base64
import dataclasses
import hashlib
import json
import secrets
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import parse_qs, urlsplit

import pytest

from sancho_contract.identity import IdentityProvider, IdentityRefused, Member, Person, ProviderUnavailable

P = TypeVar("P", bound="IdentityConformance")

OTHER_ISSUER = "https://issuer.example.org/other"


@dataclass(frozen=True)
class Login:
    """One login that was begun: what the caller of a provider keeps until the browser comes back."""

    redirect_uri: str
    state: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    @property
    def challenge(self) -> str:
        """The S256 of the verifier."""
        return base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()


@dataclass(frozen=True)
class Desk:
    """A provider, and somebody who can log in with it."""

    provider: IdentityProvider
    redirect_uri: str
    log_in: Callable[[str], Awaitable[Mapping[str, str]]]
    """Do at a login URL what this person's browser does; return the query with which it was sent to `redirect_uri`."""
    person: Person
    """Who they are; `claims` are not compared."""
    token: Callable[[], Awaitable[str]] | None = None
    """Get a token about them that is meant for this provider's client; None when the issuer gives none."""
    foreign_token: Callable[[], Awaitable[str]] | None = None
    """Get a token about them that is meant for somebody else."""
    members: Collection[Member] | None = None
    """Who is on the issuer's list; None when it is not followed."""
    unreachable: IdentityProvider | None = None
    """A provider of the same kind whose issuer does not answer; None when there cannot be one."""

    def begin(self) -> Login:
        """Begin a login."""
        return Login(self.redirect_uri)

    async def url(self, login: Login, provider: IdentityProvider | None = None) -> str:
        """Where to send the browser."""
        return await (provider or self.provider).login_url(
            redirect_uri=login.redirect_uri, state=login.state, nonce=login.nonce, code_challenge=login.challenge
        )

    async def finish(
        self, login: Login, came_back: Mapping[str, str], provider: IdentityProvider | None = None
    ) -> Person:
        """Say who came back."""
        return await (provider or self.provider).person(
            code=came_back["code"],
            redirect_uri=login.redirect_uri,
            code_verifier=login.verifier,
            nonce=login.nonce,
            issuer=came_back.get("iss"),
        )

    def is_person(self, found: Person) -> bool:
        """Is it who should have come?"""
        return dataclasses.replace(found, claims={}) == dataclasses.replace(self.person, claims={})


def at_a_desk(test: Callable[[P, Desk], Awaitable[None]]) -> Callable[[P], None]:
    """Run an async test at a desk that is opened for it and closed after it."""

    def run(self: P) -> None:
        async def opened() -> None:
            async with self.desk() as desk:
                await test(self, desk)

        asyncio.run(opened())

    run.__name__ = test.__name__
    run.__doc__ = test.__doc__
    return run


class IdentityConformance:
    """Derive a test class from it and give it `desk`."""

    def desk(self) -> AbstractAsyncContextManager[Desk]:
        """Open a desk; close the provider at the end."""
        raise NotImplementedError

    @at_a_desk
    async def test_who_logs_in_is_who_they_are(self, desk: Desk) -> None:
        login = desk.begin()
        came_back = await desk.log_in(await desk.url(login))
        assert came_back["state"] == login.state
        found = await desk.finish(login, came_back)
        assert desk.is_person(found), f"{found} instead of {desk.person}"
        assert found.issuer == desk.provider.issuer

    @at_a_desk
    async def test_a_login_sends_no_verifier_and_no_secret_through_the_browser(self, desk: Desk) -> None:
        login = desk.begin()
        url = await desk.url(login)
        query = parse_qs(urlsplit(url).query)
        assert login.verifier not in url
        assert query["code_challenge"] == [login.challenge]
        assert query["code_challenge_method"] == ["S256"]
        assert "client_secret" not in query

    @at_a_desk
    async def test_a_state_comes_back_whatever_is_in_it(self, desk: Desk) -> None:
        login = dataclasses.replace(desk.begin(), state="a&b=c d+e%20f#g/ü")
        assert (await desk.log_in(await desk.url(login)))["state"] == login.state

    @at_a_desk
    async def test_people_who_log_in_at_once_do_not_get_in_each_others_way(self, desk: Desk) -> None:
        logins = [desk.begin() for _ in range(4)]
        came_back = [await desk.log_in(await desk.url(login)) for login in logins]
        found = await asyncio.gather(*(map(desk.finish, logins, came_back)))
        assert all(map(desk.is_person, found))

    @at_a_desk
    async def test_the_code_of_one_login_is_no_good_for_another(self, desk: Desk) -> None:
        mine, yours = desk.begin(), desk.begin()
        code = await desk.log_in(await desk.url(mine))
        with pytest.raises(IdentityRefused) as refused:
            await desk.finish(dataclasses.replace(mine, verifier=yours.verifier), code)
        assert code["code"] not in str(refused.value)
        code = await desk.log_in(await desk.url(mine))
        with pytest.raises(IdentityRefused):
            await desk.finish(dataclasses.replace(mine, nonce=yours.nonce), code)

    @at_a_desk
    async def test_a_code_works_once(self, desk: Desk) -> None:
        login = desk.begin()
        code = await desk.log_in(await desk.url(login))
        await desk.finish(login, code)
        with pytest.raises(IdentityRefused):
            await desk.finish(login, code)

    @at_a_desk
    async def test_a_code_of_another_issuer_is_shown_to_nobody(self, desk: Desk) -> None:
        login = desk.begin()
        code = await desk.log_in(await desk.url(login))
        with pytest.raises(IdentityRefused):
            await desk.finish(login, {**code, "iss": OTHER_ISSUER})
        assert desk.is_person(await desk.finish(login, code))

    @at_a_desk
    async def test_a_code_that_somebody_made_up_is_refused(self, desk: Desk) -> None:
        for code in ("made-up", "", "a&b=c\r\nX: y", "x" * 10_000):
            with pytest.raises(IdentityRefused) as refused:
                await desk.finish(desk.begin(), {"code": code, "iss": desk.provider.issuer})
            assert not code or code not in str(refused.value)

    @at_a_desk
    async def test_a_token_that_is_meant_for_us_says_who_they_are(self, desk: Desk) -> None:
        if desk.token is None:
            return
        found = await desk.provider.person_of_token(await desk.token())
        assert (found.issuer, found.subject) == (desk.person.issuer, desk.person.subject)

    @at_a_desk
    async def test_a_token_that_is_meant_for_others_is_refused(self, desk: Desk) -> None:
        if desk.foreign_token is None:
            return
        token = await desk.foreign_token()
        with pytest.raises(IdentityRefused) as refused:
            await desk.provider.person_of_token(token)
        assert token not in str(refused.value)

    @at_a_desk
    async def test_a_token_that_somebody_changed_or_made_up_is_refused(self, desk: Desk) -> None:
        made_up = ["", "token", "a.b.c", "..", "x" * 1_000_000, "[" * 100_000, unsigned({"sub": desk.person.subject})]
        if desk.token is not None:
            head, body, signature = (await desk.token()).split(".")
            claims = json.loads(base64.urlsafe_b64decode(body + "=="))
            made_up += [
                unsigned(claims),
                f"{head}.{encoded(claims | {'sub': 'somebody else'})}.{signature}",
                f"{head}.{body}.{signature[:-8]}AAAAAAAA",
                f"{head}.{body}.",
                f"{head}.{body}",
            ]
        for token in made_up:
            with pytest.raises(IdentityRefused):
                await desk.provider.person_of_token(token)

    @at_a_desk
    async def test_the_list_of_members_is_whole_and_can_be_read_again(self, desk: Desk) -> None:
        assert desk.provider.lists_members == (desk.members is not None)
        if desk.members is None:
            return
        for _ in range(2):
            found = [member async for member in desk.provider.members()]
            assert sorted(found, key=lambda member: member.subject) == sorted(
                desk.members, key=lambda member: member.subject
            )

    @at_a_desk
    async def test_an_issuer_that_does_not_answer_is_unavailable(self, desk: Desk) -> None:
        if desk.unreachable is None:
            return
        with pytest.raises(ProviderUnavailable):
            await desk.url(desk.begin(), desk.unreachable)
        with pytest.raises(ProviderUnavailable) as unavailable:
            await desk.finish(desk.begin(), {"code": "the-code", "iss": desk.unreachable.issuer}, desk.unreachable)
        assert "the-code" not in str(unavailable.value)

    @at_a_desk
    async def test_closing_twice_is_no_error(self, desk: Desk) -> None:
        await desk.provider.aclose()
        await desk.provider.aclose()


def encoded(part: Mapping[str, object]) -> str:
    """Return a part of a JSON Web Token."""
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def unsigned(claims: Mapping[str, object]) -> str:
    """Return a token with `alg` none."""
    return f"{encoded({'alg': 'none', 'typ': 'JWT'})}.{encoded(claims)}."
