"""Our application over HTTP or HTTPS in the test's own process, as `sancho serve` runs it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI

from tests.conftest import eventually
from tests.realparts.pki import Credential


@asynccontextmanager
async def serving(app: FastAPI, port: int, host: Credential | None = None) -> AsyncIterator[None]:
    """Serve on a port of the loopback address, with a host's certificate if there is one; opens no database."""
    config = uvicorn.Config(
        app, port=port, proxy_headers=False, http="httptools", log_config=None, lifespan="off",
        ssl_certfile=host and host.cert_file, ssl_keyfile=host and host.key_file,
    )  # fmt: skip
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    await eventually(lambda: server.started)
    yield
    server.should_exit = True
    await running
