"""The share in a VO's document counts in a running installation, and the application refuses what is over a limit."""

from pathlib import Path

import httpx2

from sancho.app import create_app
from sancho.settings import FairSettings
from sancho.vos import tasks as vos_tasks
from tests.conftest import eventually
from tests.served import Served, settings_for


async def apply_share(served: Served, share: float) -> httpx2.Response:
    documents = [{"kind": "VO", "name": "belle", "spec": {"share": share}}]
    body = {"documents": documents}
    return await served.send("POST", "/configuration/apply", vo="instance", account="root", json=body)


async def test_the_share_of_a_vo_is_known_soon_after_it_was_applied(served: Served) -> None:
    shares = served.deployment.shares
    async with vos_tasks.following_shares(served.deployment.database, shares, every=0.01):
        assert shares(served.world.belle) == 1
        assert (await apply_share(served, 4)).status_code == 200

        await eventually(lambda: shares(served.world.belle) == 4)
    assert shares(served.world.gridpp) == 1


async def test_a_share_is_a_number_above_nothing(served: Served) -> None:
    assert [(await apply_share(served, share)).status_code for share in (0, -1, 1e9)] == [422] * 3


async def test_the_application_refuses_what_is_over_a_limit_before_any_route(served: Served, tmp_path: Path) -> None:
    fair = FairSettings(account=1, burst=2)
    settings = settings_for(served.url, tmp_path).model_copy(update={"fair": fair})
    app = create_app(settings, served.deployment)
    headers = {"authorization": f"Bearer {served.token()}"}
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://testserver") as client:
        answers = [await client.get(path, headers=headers) for path in ("/v1/whoami", "/v1/whoami", "/v1/nowhere")]
        well = await client.get("/v1/health/live")

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].json()["code"] == "rate_exceeded"
    assert answers[2].json()["facts"] == {"who": "Account alice of VO belle", "limit": 1.0}
    assert well.status_code == 200
