"""A login as the page does it, by the login page's form."""

import re
from urllib.parse import parse_qs, urlsplit

import httpx2

from sancho.identity.service.codes import challenge_of

MARK = {"x-sancho-page": "1"}
VERIFIER = "v" * 43


async def sign_in(
    browser: httpx2.AsyncClient, vo: str, account: str, password: str, *, verifier: str = VERIFIER
) -> httpx2.Response:
    """Log in by password and exchange the code; what the page is answered."""
    query = {
        "response_type": "code", "client_id": "sancho-web", "vo": vo, "state": "s",
        "redirect_uri": f"{str(browser.base_url).rstrip('/')}/ui/signed-in",
        "code_challenge": challenge_of(VERIFIER), "code_challenge_method": "S256",
    }  # fmt: skip
    page = await browser.get("/v1/auth/authorize", params=query, follow_redirects=True)
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))
    form = {**hidden, "choice": "password", "account": account, "password": password}
    back = await browser.post("/v1/auth/login", data=form)
    code = parse_qs(urlsplit(back.headers["location"]).query)["code"][0]
    return await browser.post("/ui/session", headers=MARK, json={"code": code, "verifier": verifier})
