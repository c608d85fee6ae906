"""One login for jobs and data: a user's token is exchanged for one that reads on a storage, in the area of their VO."""

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sancho.rses.plan import readable_paths
from tests.served import Served

FORM = {"grant_type": "urn:ietf:params:oauth:grant-type:token-exchange", "audience": "https://a-disk.test"}


async def exchanged(served: Served, scope: str, **more: str) -> httpx2.Response:
    form = {**FORM, "subject_token": served.token(), "scope": scope, **more}
    return await served.client.post("/v1/auth/token", data=form)


async def test_a_user_gets_a_token_that_reads_in_the_area_of_their_vo(served: Served) -> None:
    answer = await exchanged(served, "storage.read:/belle/mc storage.read:/belle/raw/1")

    assert answer.status_code == 200, answer.text
    assert (answer.json()["expires_in"] <= 600, "refresh_token" in answer.json()) == (True, False)
    given = answer.json()["access_token"]
    refused = await served.send("GET", "/whoami", token=given)
    assert refused.status_code == 401


@pytest.mark.parametrize(
    "scope",
    [
        "", "storage.read:/", "storage.read:/belle", "storage.read:/belle/", "storage.read:/gridpp/mc",
        "storage.read:/belle/../gridpp", "storage.read:/belle2", "storage.read:/belle//mc",
        "storage.read:/belle/%2e%2E/gridpp", "storage.modify:/belle/mc", "storage.create:/belle/mc",
        "storage.read:/belle/mc sancho", "compute.create",
    ],
)  # fmt: skip
async def test_no_other_path_and_no_right_to_write_is_given(served: Served, scope: str) -> None:
    answer = await exchanged(served, scope)
    assert (answer.status_code, answer.json()["error"]) == (422, "invalid_scope")


async def test_a_narrow_token_and_an_unknown_storage_give_nothing(served: Served) -> None:
    narrow = (await exchanged(served, "rules:create", audience="http://testserver")).json()["access_token"]
    answer = await exchanged(served, "storage.read:/belle/mc", subject_token=narrow)
    assert answer.json()["error"] == "invalid_grant"
    answer = await exchanged(served, "storage.read:/belle/mc", audience="https://evil.example")
    assert answer.json()["error"] == "invalid_target"


@given(st.text(alphabet="/.%2eE belgridp:", max_size=40))
def test_whatever_is_asked_for_only_paths_of_the_area_come_out(tail: str) -> None:
    paths = readable_paths(f"storage.read:/belle/{tail}", "belle")
    if not isinstance(paths, str):
        assert all(p.startswith("/belle/") and p != "/belle/" for p in paths)
        assert not any(".." in p.split("/") or "%2e" in p.lower() for p in paths)
