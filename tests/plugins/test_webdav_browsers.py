"""Pages of a known origin may have a browser put files on a storage; others may not, and nothing else changes."""

from pathlib import Path

import httpx2
import pytest

from sancho_plugins.webdav_server import StorageServerSettings
from sancho_plugins.webdav_server.app import StorageApp
from sancho_plugins.webdav_server.browsers import allowing, preflight

PAGE = "https://grid.example.org"
ASKS = {"origin": PAGE, "access-control-request-method": "PUT", "access-control-request-headers": "authorization"}


def test_a_page_of_a_known_origin_is_told_what_it_may() -> None:
    allowed = allowing([PAGE], ASKS)
    assert allowed["Access-Control-Allow-Origin"] == PAGE
    said = preflight("OPTIONS", ASKS, allowed) or {}
    assert (said["Access-Control-Allow-Methods"], "authorization" in said["Access-Control-Allow-Headers"]) == (
        "PUT",
        True,
    )


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", f"{PAGE}.evil.example", "", "http://grid.example.org"]
)
def test_a_page_of_another_origin_is_told_nothing(origin: str) -> None:
    asks = {**ASKS, "origin": origin}
    assert allowing([PAGE], asks) == {"Vary": "Origin"}
    assert preflight("OPTIONS", asks, allowing([PAGE], asks)) is None
    assert allowing([], asks) == {}


def test_only_a_question_before_a_request_is_answered_without_a_token() -> None:
    allowed = allowing([PAGE], ASKS)
    assert preflight("PUT", ASKS, allowed) is None
    assert preflight("OPTIONS", {"origin": PAGE}, allowed) is None


async def test_every_answer_to_a_page_says_that_it_may_be_read(tmp_path: Path) -> None:
    settings = StorageServerSettings(
        name="disk", root=tmp_path, port=1, issuer="https://grid.example.org", audience="disk", browsers=(PAGE,),
        jwks_url="https://grid.example.org/.well-known/jwks.json",
    )  # fmt: skip
    storage = httpx2.ASGITransport(app=StorageApp(settings))
    async with httpx2.AsyncClient(transport=storage, base_url="http://disk") as browser:
        asked = await browser.options("/belle/a", headers=ASKS)
        refused = await browser.put("/belle/a", headers={"origin": PAGE}, content=b"x")
        stranger = await browser.options("/belle/a", headers={**ASKS, "origin": "https://evil.example"})
    assert (asked.status_code, asked.headers["access-control-allow-origin"]) == (204, PAGE)
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, PAGE)
    assert (stranger.status_code, "access-control-allow-origin" in stranger.headers) == (401, False)
