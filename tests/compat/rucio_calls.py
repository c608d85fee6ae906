"""Calls methods of the unmodified `rucio.client.Client`, told on standard input; run by the Python that has it.

`computed_pfns` is what uploads do: the client asks how an RSE is reached and computes itself where its files lie.
A line `["METHOD", [ARGUMENTS…], {NAMED…}]` is answered with a line `{"gives": RESULT}` or `{"raises": CLASS, "says":
MESSAGE}`. An iterator is read to its end; what JSON does not know is given as its text.
"""

import json
import sys
from typing import Any

from rucio.client import Client  # pyright: ignore[reportMissingImports]  # the tests' own environment has none
from rucio.rse import rsemanager  # pyright: ignore[reportMissingImports]


def computed_pfns(client: Any, rse: str, dids: list[dict[str, str]]) -> dict[str, str]:
    """Where the client puts files on an RSE."""
    settings = rsemanager.get_rse_info(rse, vo=client.vo)
    return rsemanager.lfns2pfns(settings, dids, operation="write", auth_token=client.auth_token)


def told(client: Any, method: str, arguments: list[Any], named: dict[str, Any]) -> dict[str, Any]:
    """What comes of a call."""
    try:
        if method == "computed_pfns":
            return {"gives": computed_pfns(client, *arguments)}
        given = getattr(client, method)(*arguments, **named)
        return {"gives": list(given) if hasattr(given, "__next__") else given}
    except Exception as e:  # noqa: BLE001 - whatever it is, the test is told
        return {"raises": type(e).__name__, "says": str(e)}


def main() -> None:
    """Answer until nothing more is asked."""
    client = Client()
    for line in sys.stdin:
        print(json.dumps(told(client, *json.loads(line)), default=str), flush=True)


if __name__ == "__main__":
    main()
