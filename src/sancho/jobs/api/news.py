"""News of jobs, as server-sent events."""

import json
from collections.abc import AsyncIterator
from typing import cast

from fastapi import Request
from fastapi.responses import StreamingResponse

from sancho.jobs.errors import TooManyListeners
from sancho.jobs.service.news import Changes, News
from sancho.kit.problem import problems
from sancho.kit.web import Caller, native

router = native(tags=["jobs"])

UNKEPT = {"cache-control": "no-store", "x-accel-buffering": "no"}


class EventStream(StreamingResponse):
    """Server-sent events."""

    media_type = "text/event-stream"


async def _said(changes: AsyncIterator[Changes]) -> AsyncIterator[str]:
    async for one in changes:
        if one:
            yield f"event: jobs\ndata: {json.dumps({'job_ids': one.job_ids, 'more': one.more})}\n\n"
        else:
            yield ": nothing yet\n\n"


@router.get("/events", response_class=EventStream, responses=problems(TooManyListeners))
async def listen(caller: Caller, request: Request, everybody: bool = False) -> EventStream:
    """Hear which of your jobs change, as server-sent events; with `everybody`, of all jobs of your VO.

    Each event `jobs` has `job_ids`, at most 500, and `more` when others changed too. It ends after a minute: ask again.
    What changed in the last ten seconds is told at the beginning, so nothing is missed in between.
    """
    news = cast(News, request.app.state.news)
    news.check_room(caller)
    return EventStream(_said(news.listen(caller, everybody=everybody)), headers=UNKEPT)
