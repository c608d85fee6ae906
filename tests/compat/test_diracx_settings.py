"""What an operator says of DiracX's clients: who they are, where their logins may lead."""

from typing import Any

import httpx2
import pytest
from pydantic import ValidationError

from sancho.app import create_app
from sancho.identity.service.logins import challenge_of
from sancho.parts import make_deployment
from sancho.settings import DiracxSettings
from tests.served import Served, settings_for

VERIFIER = "v" * 43
WEB = "https://web.example.org/auth"


async def authorize(served: Served, diracx: DiracxSettings, **said: str) -> httpx2.Response:
    """What a browser is answered at the end of DiracX's beginning of a login."""
    settings = settings_for(served.url, served.folder).model_copy(update={"diracx": diracx})
    deployment = make_deployment(settings)
    transport = httpx2.ASGITransport(app=create_app(settings, deployment))
    asked = {
        "response_type": "code", "code_challenge_method": "S256", "client_id": "myDIRACClientID", "state": "s",
        "code_challenge": challenge_of(VERIFIER), "redirect_uri": WEB, "scope": "vo:belle", **said,
    }  # fmt: skip
    await deployment.database.open()
    try:
        async with httpx2.AsyncClient(
            transport=transport, base_url="http://testserver", follow_redirects=True
        ) as browser:
            return await browser.get("/api/auth/authorize", params=asked)
    finally:
        await deployment.database.close()


async def test_a_login_in_a_browser_leads_where_the_operator_says(served: Served) -> None:
    refused = await authorize(served, DiracxSettings())
    allowed = await authorize(served, DiracxSettings(redirects=(WEB,)))
    beside = await authorize(served, DiracxSettings(redirects=(WEB,)), redirect_uri=f"{WEB}/more")
    loopback = await authorize(served, DiracxSettings(redirects=(WEB,)), redirect_uri="http://127.0.0.1:5000/back")

    assert [one.status_code for one in (refused, allowed, beside, loopback)] == [400, 200, 400, 200]
    assert "may not have its users sent" in refused.text
    assert "A DiracX client" in allowed.text


async def test_an_extension_of_diracx_has_a_client_of_its_own(served: Served) -> None:
    own = DiracxSettings(client_id="lhcb-dirac", redirects=(WEB,))
    assert (await authorize(served, own, client_id="lhcb-dirac")).status_code == 200
    assert (await authorize(served, own)).status_code != 200


@pytest.mark.parametrize(
    "said",
    [
        {"client_id": "sancho"}, {"client_id": "a b"}, {"client_id": ""}, {"redirects": ["http://web.example.org/"]},
        {"redirects": ["https://web.example.org/#x"]}, {"redirects": ["javascript:alert(1)"]},
        {"redirects": ["https://a@web.example.org/"]}, {"redirects": ["https:///"]},
    ],
)  # fmt: skip
def test_what_no_client_and_no_redirect_is_stops_the_server(said: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        DiracxSettings(**said)


def test_a_web_page_in_development_may_be_redirected_to() -> None:
    assert DiracxSettings(redirects=("http://localhost:8000/auth", "http://127.0.0.1/")).redirects
