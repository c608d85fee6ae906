"""What the API says of itself."""

import json
from functools import cache
from typing import Any

from sancho.app import create_app
from tests.once import once


@cache
def described() -> dict[str, Any]:
    """The OpenAPI document, made once in a run of tests."""
    return json.loads(once("openapi", lambda: json.dumps(create_app().openapi())))
