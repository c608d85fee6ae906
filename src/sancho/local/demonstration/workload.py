"""What the demonstration asks of a grid: who works for which VO, what they own, and the jobs they submit."""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sancho_client.calls import identity, jobs
from sancho_client.cli import job_files
from sancho_client.client import Client
from sancho_client.data import sandbox
from sancho_client.environment import Environment
from sancho_client.models.configuration import Document
from sancho_client.tokens import GivenToken

PEOPLE = {"belle": "akiko", "gridpp": "george"}
"""The VOs, and who does the work in each."""
PAYLOAD = Path(__file__).parent / "payload"
SCOPE = "mc"
SIMULATED = "mc:dimuon"
PICTURE = "mc:spectrum.png"
COPIES = 2
ENVIRONMENT = "demo"
PILOTS = 2
"""At each CE: a payload that waits for its files leaves its core to another."""


def results_of(vo: str) -> str:
    """The dataset of a VO's picture; the one DID that no two VOs share."""
    return f"mc:results-of-{vo}"


@dataclass(frozen=True, slots=True)
class Work:
    """The work of one VO: who does it, through which client, and its submissions."""

    vo: str
    account: str
    client: Client
    simulate: int
    analyse: int
    jobs: int
    """How many jobs there are in all."""


def people_and_quotas() -> Iterator[Document]:
    """Accounts, scopes and quotas: the same in each VO."""
    for vo, person in PEOPLE.items():
        yield Document(kind="Account", vo=vo, name=person, spec={"kind": "user", "groups": ["users"]})
        yield Document(kind="Scope", vo=vo, name=SCOPE, spec={"account": person})
        yield Document(
            kind="Quota", vo=vo, name=person, spec={"account": person, "rse_expression": "tier=1", "size": "1 GB"}
        )


def offer_environment(ces: Sequence[dict[str, Any]], python: Path) -> Iterator[Document]:
    """The CEs of a grid, as its topology has them, which from now on offer an interpreter to payloads."""
    environments = {ENVIRONMENT: {"path": [str(python.parent)]}}
    for ce in ces:
        settings = {**ce["spec"]["settings"], "environments": environments}
        spec = {**ce["spec"], "tags": [f"env:{ENVIRONMENT}"], "max_pilots": PILOTS, "settings": settings}
        yield Document(kind="ComputeElement", name=ce["name"], spec=spec)


def log_in(administrator: Client, vo: str, person: str) -> Client:
    """Give somebody a password, and log in with it."""
    password = secrets.token_urlsafe(12)
    administrator.send(identity.change_password(person, password, vo=vo))
    tokens = administrator.send(identity.login(vo, person, password))
    environment = Environment.read({})
    return Client(administrator.url, vo=vo, tokens=GivenToken(tokens.access_token), environment=environment)


def submit_all(client: Client, vo: str, number: int) -> Work:
    """Submit the work of a VO; on a grid that has seen it before, nothing is done twice."""
    simulate = _submit(client, "simulate", [{} for _ in range(number)])
    analyse = _submit(client, "analyse", [{"vo": vo}])
    return Work(
        vo=vo, account=PEOPLE[vo], client=client, simulate=simulate, analyse=analyse, jobs=number + 1
    )  # fmt: skip


def _submit(client: Client, name: str, rows: Sequence[dict[str, Any]]) -> int:
    described, _ = job_files.read(PAYLOAD / f"{name}.yaml", (), None)
    with sandbox.pack(described.files, PAYLOAD) as packed:
        sandbox.upload(client, packed)
        description = described.with_sandbox(packed.sha256)
    key = f"demonstration-{name}-{len(rows)}"
    return client.send(jobs.submit(description, parameters=rows, idempotency_key=key)).submission_id
