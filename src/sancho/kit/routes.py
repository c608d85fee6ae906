"""Which route a request is for: looked for among those only whose paths begin alike."""

from collections.abc import Iterable, Mapping, Sequence

from fastapi import APIRouter, FastAPI
from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send


class Shortcut:
    """Finds the route of a request by the first two words of its path, and calls it.

    A router tries all of its routes one by one, which costs a small request more than its work does. What is not
    found, or asked by another method, is left to the router behind it, which says so.
    """

    def __init__(self, router: ASGIApp, routes: Sequence[BaseRoute]) -> None:
        """Look among `routes`, in their order; pass on to `router`."""
        self._router = router
        self._near = _by_words(route for route in routes if isinstance(route, Route))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the route, or the router."""
        if scope["type"] == "http":
            for route in self._near.get(_words(scope["path"]), ()):
                match, found = route.matches(scope)
                if match is Match.FULL:
                    scope.update(found)
                    await route.handle(scope, receive, send)
                    return
        await self._router(scope, receive, send)


def serve(app: FastAPI, routers: Iterable[APIRouter]) -> None:
    """Serve the routes of these as they are: to include a router would make each of its routes a second time."""
    for router in routers:
        app.router.routes.extend(router.routes)
    app.router.middleware_stack = Shortcut(app.router.middleware_stack, app.router.routes)


def _words(path: str) -> tuple[str, ...]:
    """The first two words of a path."""
    return tuple(path.split("/", 3)[1:3])


def _by_words(routes: Iterable[Route]) -> Mapping[tuple[str, ...], list[Route]]:
    """Routes by the words that their paths begin with, in their order; where one has a name, it fits any word."""
    declared = [(_words(route.path), route) for route in routes]
    near: dict[tuple[str, ...], list[Route]] = {words: [] for words, _ in declared if "{" not in "".join(words)}
    for words, route in declared:
        for one in [words] if words in near else [one for one in near if _fits(words, one)]:
            near[one].append(route)
    return near


def _fits(declared: tuple[str, ...], words: tuple[str, ...]) -> bool:
    return len(declared) == len(words) and all(a == b or "{" in a for a, b in zip(declared, words, strict=True))
