"""News of jobs: who hears of what changed, and that it stays bounded."""

from typing import Any

from sancho.identity import service as identity
from sancho.jobs.service.news import MOST, Changes, Listener, News
from sancho.jobs.store.news import ChangedJob
from sancho.kit.clock import SystemClock
from tests.served import Served

AT = SystemClock().now()


def changed(job_id: int | None, *, vo: int = 1, account_id: int = 7) -> ChangedJob:
    return ChangedJob(vo=vo, account_id=account_id, job_id=job_id, changed_at=AT)


async def test_who_listens_hears_of_the_own_jobs_alone_unless_all_are_asked_for() -> None:
    mine, all_of_it, other = (
        Listener(vo=vo, account_id=7, everybody=everybody) for vo, everybody in ((1, False), (1, True), (2, True))
    )
    for one in (mine, all_of_it, other):
        one.tell(changed(3))
        one.tell(changed(4, account_id=8))
    assert await mine.take(0.01) == Changes(job_ids=(3,))
    assert await all_of_it.take(0.01) == Changes(job_ids=(3, 4))
    assert not await other.take(0.01)


async def test_of_many_changes_some_are_named_and_the_rest_is_said_to_be() -> None:
    listener = Listener(vo=1, account_id=7, everybody=False)
    for n in range(MOST + 5):
        listener.tell(changed(n))
    taken = await listener.take(0.01)
    assert (len(taken.job_ids), taken.more) == (MOST, True)
    listener.tell(changed(None))
    assert await listener.take(0.01) == Changes(more=True)


async def test_a_change_is_told_once_to_those_of_its_vo(served: Served) -> None:
    news: News = served.app.state.news
    listeners = [Listener(vo=vo, account_id=0, everybody=True) for vo in (served.world.belle, served.world.gridpp)]
    for one in listeners:
        news._listeners.add(one)
    await news.look()
    for one in listeners:
        await one.take(0.01)
    job = {"description": {"name": "n", "command": ["true"]}, "anyway": True}
    made = (await served.send("POST", "/jobs", json=job)).json()["job_ids"]
    await news.look()
    assert await listeners[0].take(0.01) == Changes(job_ids=tuple(made))
    assert not await listeners[1].take(0.01)
    await news.look()
    assert not await listeners[0].take(0.01)

    late = Listener(vo=served.world.belle, account_id=0, everybody=True)
    with news._heard(late):  # who comes back a moment later has missed nothing
        assert set(made) <= set((await late.take(0.01)).job_ids)
    news.close()


async def test_events_are_lines_of_the_server_sent_kind_and_end(served: Served) -> None:
    served.app.state.news.longest = 0.3
    job: dict[str, Any] = {"description": {"name": "n", "command": ["true"]}, "anyway": True}
    (made,) = (await served.send("POST", "/jobs", json=job)).json()["job_ids"]
    answer = await served.send("GET", "/events", params={"everybody": False})
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert f'event: jobs\ndata: {{"job_ids": [{made}], "more": false}}\n\n' in answer.text


async def test_nobody_listens_without_end(served: Served) -> None:
    me = (await served.send("GET", "/whoami")).json()["account"]
    async with served.deployment.database.transaction([served.world.belle]) as conn:
        account_id = (await identity.get_account(conn, served.world.belle, me)).account_id
    news: News = served.app.state.news
    news._listeners |= {Listener(vo=served.world.belle, account_id=account_id, everybody=False) for _ in range(20)}
    refused = await served.send("GET", "/events")
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_listeners")
    assert (await served.send("GET", "/events", account="bob")).status_code == 200
    news.close()
    served.app.state.news.longest = 60
    assert (await served.send("GET", "/events", account="bob")).status_code == 200  # and it ends at once
