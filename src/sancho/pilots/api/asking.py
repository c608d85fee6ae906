"""The route that pilots ask for jobs. None is asked so often, so what FastAPI does for others is done by hand."""

import json
import re
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import TypeAdapter, ValidationError

from sancho.kit.access import NotAPilot
from sancho.kit.problem import problems
from sancho.kit.web import PilotCaller, check_parameters, deployment_of, native, pilot_of
from sancho.pilots import service
from sancho.pilots.api.offers import OfferIn
from sancho.pilots.errors import PilotUnknown
from sancho.pilots.service.assigning import Assignment

NO_WORK: dict[int | str, dict[str, Any]] = {204: {"description": "No job fits; ask again after `Retry-After`."}}
JSON = re.compile(r"application/(.+\+)?json\s*(;|$)", re.IGNORECASE)
_assignment = TypeAdapter(Assignment)


class Plain(APIRoute):
    """A route that is documented as others are; its request is read here, which costs a third of what it cost."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """What answers a request."""
        return _answer


async def _answer(request: Request) -> Response:
    await check_parameters(request)
    caller = await pilot_of(request)
    return await match(_read(await request.body(), request.headers.get("content-type", "")), caller, request)


def _read(body: bytes, media_type: str) -> OfferIn:
    """What FastAPI makes of a body, and refuses of it."""
    try:
        return OfferIn.model_validate(json.loads(body) if JSON.match(media_type) else body)
    except json.JSONDecodeError as e:
        raise RequestValidationError(
            [{"type": "json_invalid", "loc": ("body", e.pos), "msg": e.msg, "ctx": {"error": e.msg}}]
        ) from e
    except ValidationError as e:
        faults = [{**fault, "loc": ("body", *fault["loc"])} for fault in e.errors(include_url=False)]
        raise RequestValidationError(faults) from e
    except (ValueError, RecursionError) as e:
        raise HTTPException(400, "There was an error parsing the body") from e


router = native(tags=["pilot"], route_class=Plain)


@router.post("/pilot/match", response_model=Assignment, responses=NO_WORK | problems(NotAPilot, PilotUnknown))
async def match(body: OfferIn, caller: PilotCaller, request: Request) -> Response:
    """Ask for a job; 204 when none fits."""
    found = await service.match(deployment_of(request), request.app.state.matcher, caller, body.asked())
    if found is None:
        return Response(status_code=204, headers={"retry-after": "2"})
    return Response(_assignment.dump_json(found), media_type="application/json")
