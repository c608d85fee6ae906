"""The reference pages on what is served of foreign APIs, from their lists of endpoints."""

from collections import Counter

from docs.pages import page, table

from sancho.compat.diracx import endpoints as diracx
from sancho.compat.diracx.translate import PROPERTIES
from sancho.compat.rucio import endpoints as rucio
from sancho.compat.rucio.dialect import NAMES


def compat_diracx() -> str:
    """Return the page on what is served of DiracX's API."""
    rows = [
        (f"`{one.method}`", f"`{one.path}`", one.support.value, one.note)
        for one in sorted(diracx.OPERATIONS, key=lambda one: (one.path, one.method))
    ]
    count = Counter(one.support.value for one in diracx.OPERATIONS)
    properties = [(f"`{name}`", ", ".join(f"`{one}`" for one in sorted(needed))) for name, needed in PROPERTIES.items()]
    return page(
        "DiracX's API",
        "What of the API of DiracX 0.7 is served to its clients, which are tested unmodified: `dirac login VO`, "
        "`dirac whoami`, `dirac logout`. Of its "
        f"{len(rows)} operations {count['served']} are served, {count['partial']} partly, and {count['refused']} "
        'answer 501. Errors have DiracX\'s form, `{"detail": …}`.',
        table(("method", "path", "support", "what differs"), rows),
        "## Logins",
        "`vo:NAME` is a VO, `group:NAME` a group of it; without one, the oldest group that the account is in. A token "
        "has what comes with that group, and the properties that were asked for beside it, which other groups of the "
        "account must give. A refresh token is a JWT, since DiracX's clients read there when it ends; it lives a week "
        "at most, and each use gives the next. Access tokens carry our claims (`groups`, `scope`, `aud`), not "
        "`dirac_group`, `dirac_properties` or `dirac_policies`: `GET /api/auth/userinfo` says these.",
        "## Properties",
        "A property is held by who holds all of its permissions. Those that are missing here no group gives.",
        table(("property", "permissions"), properties),
    )


def compat_rucio() -> str:
    """Return the page on what is served of Rucio's API."""
    count = Counter(one.state for one in rucio.ENDPOINTS)
    parts: list[str] = []
    for resource in dict.fromkeys(one.resource for one in rucio.ENDPOINTS):
        rows = [
            (f"`{one.method}`", f"`{one.path}`", one.purpose, one.client, one.state, one.note)
            for one in rucio.ENDPOINTS
            if one.resource == resource
        ]
        heads = ("method", "path", "purpose", "method of rucio-clients", "support", "what differs")
        parts += [f"### {resource}", table(heads, rows)]
    names = [(f"`{error.__name__}`", str(status), f"`{name}`") for error, (status, name) in NAMES.items()]
    return page(
        "Rucio's API",
        "What of the API of Rucio 41 is served below `/rucio` to its clients, which are tested unmodified. Of its "
        f"{len(rucio.ENDPOINTS)} endpoints {count['served']} are served, {count['partial']} partly, and "
        f"{count['refused']} are refused, with `UnsupportedOperation` (409).",
        "A token is an access token like any other here, sent as `X-Rucio-Auth-Token` and never as `Authorization`; "
        "an identity proves one account, so that nobody is asked to choose one (206). `X-Rucio-VO` is a VO's name or "
        "its alias; who sends none, or `def`, means the only VO there is. What Rucio answers to OPTIONS and HEAD, for "
        "pages of other sites, is refused. How to use its clients is told in "
        "[a guide](../how-to/use-rucio-clients.md).",
        "## Errors",
        "An error is called as the nearest of these is called; one that is not listed, as the kind that it is one of.",
        table(("error here", "status", "`ExceptionClass`"), names),
        "## Endpoints",
        *parts,
    )
