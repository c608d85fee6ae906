"""The reference pages on what is served of foreign APIs, from their lists of endpoints.

By itself, `make compat`: the same for the methods of Rucio's installed client, and for the verbs of its command.
"""

import json
import subprocess
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from docs.pages import page, table

from sancho.compat.diracx import endpoints as diracx
from sancho.compat.diracx.jdl_attributes import IGNORED, REFUSED, SERVED
from sancho.compat.diracx.jdl_grammar import DEEPEST, LONGEST, MOST_PARTS
from sancho.compat.diracx.jdl_translate import MOST_DESCRIPTIONS
from sancho.compat.diracx.translate import PROPERTIES
from sancho.compat.rucio import endpoints as rucio
from sancho.compat.rucio.dialect import NAMES
from sancho.jobs.model import MAX_ROWS

ROOT = Path(__file__).parents[1]
RUCIO = ROOT / ".venv-compat" / "bin" / "python"
STATES = ("served", "partial", "refused")


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
        "`dirac whoami`, `dirac logout`, `dirac config dump`, `dirac jobs submit FILE`. Of its "
        f"{len(rows)} operations {count['served']} are served, {count['partial']} partly, and {count['refused']} "
        'answer 501. Errors have DiracX\'s form, `{"detail": …}`.',
        table(("method", "path", "support", "what differs"), rows),
        "## Logins",
        "`vo:NAME` is a VO, `group:NAME` a group of it; without one, the oldest group that the account is in. A token "
        "has what comes with that group, and the properties that were asked for beside it, which other groups of the "
        "account must give. A refresh token is a JWT, since DiracX's clients read there when it ends; it lives a week "
        "at most, and each use gives the next. Access tokens carry our claims (`groups`, `scope`, `aud`), not "
        "`dirac_group`, `dirac_properties` or `dirac_policies`: `GET /api/auth/userinfo` says these.",
        "## Configuration and status of resources",
        "Both tell of the caller's VO, and of nobody else's. An ETag is compared letter for letter and stands without "
        "quotes; `If-Modified-Since` gives 304 when it is later than the newest version of the configuration that "
        "concerns the VO. Under `Operations` stand DIRAC's own defaults and the VO's documents of kind ClientSettings "
        "that are called like one of DIRAC's free sections.",
        "## Properties",
        "A property is held by who holds all of its permissions. Those that are missing here no group gives.",
        table(("property", "permissions"), properties),
    )


def jdl() -> str:
    """Return the page on the attributes of JDL."""
    rows = [(f"`{name}`", becomes) for name, becomes in SERVED.items()]
    refused = [(f"`{name}`", why[0].upper() + why[1:]) for name, why in REFUSED.items()]
    return page(
        "JDL",
        "What becomes of each attribute of a JDL that `dirac jobs submit` or `sancho job submit` sends; how to write "
        "one is told in [a guide](../how-to/submit-jdl.md). Names are the same in capitals and small letters. What is "
        "not listed changes nothing; a name that looks like a misspelt one of these is refused.",
        table(("attribute", "what it becomes"), rows),
        "Lists are written `{a, b}`, or as a text with commas. Known, and without a meaning here, are "
        f"{', '.join(f'`{name}`' for name in IGNORED)}.",
        "## Refused",
        table(("attribute", "why"), refused),
        "## Placeholders",
        table(
            ("in a text", "stands for", "our parameter"),
            [
                ("`%s`", "the value of `Parameters`", "`{s}`"), ("`%(X)s`", "the value of `Parameters.X`", "`{s_x}`"),
                ("`%n`", "the number within the JDL, from 0", "`{n}`"), ("`%j`", "the number of the job", "`{job_id}`"),
            ],
        ),
        "All but `%j` mean something in a JDL with `Parameters` alone. `%j` does in `Executable`, `Arguments`, "
        "`Environment` and `OutputSandbox`, and `JobName` is the same for all jobs, whatever stands in it.",
        "## Limits",
        table(
            ("what", "at most"),
            [
                ("jobs at once", f"{MAX_ROWS}"), ("different descriptions at once", f"{MOST_DESCRIPTIONS}"),
                ("characters of all JDLs together", f"{LONGEST}"), ("brackets in one another", f"{DEEPEST}"),
                ("names, values and signs of all JDLs together", f"{MOST_PARTS}"),
            ],
        ),
        "Jobs of a parametric JDL share a description when they differ in `Executable`, `Arguments`, `Environment`, "
        "`OutputSandbox`, `OutputData` and `OutputPath` alone, and no value there holds blanks or quotes; in the last "
        "two, no `/` either. Where parameters stand elsewhere, as in `InputData`, there is one for each of their "
        "values.",
    )  # fmt: skip


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
    methods = Counter(rucio.support(method) for method in rucio.METHODS)
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
        "## Methods of the client",
        f"Of the {len(rucio.METHODS)} methods of `rucio.client.Client` that ask a server, {methods['served']} are "
        f"served, {methods['partial']} partly, and {methods['refused']} are refused. `make compat` prints this, and "
        "the verbs of the command `rucio`, for the client that is installed.",
        table(("method", "support", "endpoints"), rucio_methods()),
        "## Endpoints",
        *parts,
    )


def rucio_methods() -> list[tuple[str, str, str]]:
    """Return the methods of Rucio's client: how each is called, how far it is served, and by which endpoints."""
    asking = [
        (f"`{name}`", rucio.support(name), ", ".join(f"`{one.method} {one.path}`" for one in endpoints))
        for name, endpoints in rucio.METHODS.items()
    ]
    return sorted([*asking, *((f"`{name}`", "asks no server", does) for name, does in rucio.OFFLINE.items())])


# --------------------------------------------------------------------------------------- what is installed


def installed() -> tuple[list[str], Mapping[str, list[str]]]:
    """Return the public methods of the client of Rucio that is installed, and what the verbs of its command may use."""
    said = subprocess.run([RUCIO, ROOT / "docs" / "in_rucio.py"], check=True, stdout=subprocess.PIPE).stdout
    found = json.loads(said)
    return found["methods"], found["verbs"]


def supported(methods: Iterable[str]) -> str:
    """Say how far a verb is served: as far as the methods that it may use, `partial` when they differ."""
    states = {rucio.support(method) for method in methods if method in rucio.METHODS}
    return states.pop() if len(states) == 1 else "partial"


def main() -> None:
    """Print what is served of each method and verb, and how many are."""
    methods, verbs = installed()
    asking = [name for name in methods if name not in rucio.OFFLINE]
    for name in asking:
        behind = ", ".join(f"{one.method} {one.path}" for one in rucio.METHODS[name])
        print(f"{rucio.support(name):8} {name:34} {behind}")
    print()
    for verb, used in verbs.items():
        print(f"{supported(used):8} {'rucio ' + verb:40} {', '.join(used)}")
    print()
    print(_sum("methods of the client", [rucio.support(name) for name in asking]))
    print(_sum("verbs of the command", [supported(used) for used in verbs.values()]))


def _sum(what: str, states: list[str]) -> str:
    count = Counter(states)
    return f"{len(states)} {what}: {', '.join(f'{count[state]} {state}' for state in STATES)}"


if __name__ == "__main__":
    main()
