"""The typed client of the native API, sync and async, and the user verbs of the command line; no server code.

from sancho_client import Client
from sancho_client.calls import jobs

with Client() as client:
    print(client.send(jobs.show(17)).state)
"""

from sancho_client.call import Call, Lines, Pages
from sancho_client.client import AsyncClient, Client
from sancho_client.environment import Environment
from sancho_client.errors import (
    AnswerUnclear,
    BadInput,
    ClientError,
    Damaged,
    NotLoggedIn,
    Problem,
    Refused,
    ServerAway,
)

__all__ = [
    "AnswerUnclear",
    "AsyncClient",
    "BadInput",
    "Call",
    "Client",
    "ClientError",
    "Damaged",
    "Environment",
    "Lines",
    "NotLoggedIn",
    "Pages",
    "Problem",
    "Refused",
    "ServerAway",
]
