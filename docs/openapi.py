"""Writes the OpenAPI document of the native API, from which the types of the web page are made."""

import json
import sys

from fastapi import FastAPI

from sancho.app import ROUTERS
from sancho.kit import routes


def document() -> str:
    """The document; the same for the same routes."""
    app = FastAPI(title="Sancho", version="1")
    routes.serve(app, ROUTERS)
    return json.dumps(app.openapi(), indent=1)


if __name__ == "__main__":
    sys.stdout.write(document())
