"""What pages of other origins may have a browser do here: put files, with a token; nothing else is asked for by a page.

Downloads need nothing of this, for a browser goes to a signed URL as to any other page.
"""

from collections.abc import Mapping, Sequence

FOR_A_DAY = "86400"


def allowing(browsers: Sequence[str], headers: Mapping[str, str]) -> dict[str, str]:
    """Headers of every answer to a page: one of an origin that is known may read it, and no other."""
    if not browsers:
        return {}
    origin = headers.get("origin")
    return {"Vary": "Origin"} | ({"Access-Control-Allow-Origin": origin} if origin in browsers and origin else {})


def preflight(method: str, headers: Mapping[str, str], allowed: Mapping[str, str]) -> dict[str, str] | None:
    """The answer to a browser that asks, without a token, whether a page of a known origin may put a file here.

    None for whatever is no such question.
    """
    asks = method == "OPTIONS" and "access-control-request-method" in headers
    if not asks or "Access-Control-Allow-Origin" not in allowed:
        return None
    return {
        "Access-Control-Allow-Methods": "PUT",
        "Access-Control-Allow-Headers": "authorization, content-type",
        "Access-Control-Max-Age": FOR_A_DAY,
    }
