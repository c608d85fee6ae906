"""Jobs that DIRAC's JDL describes: DiracX's route, which the server keeps for its clients, so not in OpenAPI."""

from collections.abc import Sequence

from sancho_client.call import Call
from sancho_client.models.jobs import InsertedJob


def submit(jdls: Sequence[str], *, sandbox: str | None = None, anyway: bool = False) -> Call[list[InsertedJob]]:
    """Submit one parametric JDL, or plain ones; `sandbox` holds the files that their InputSandbox names.

    What no site can ever run is refused, unless it is to wait `anyway`.
    """
    query = {"sandbox": sandbox, "anyway": anyway or None}
    return Call(method="POST", path="/api/jobs/jdl", answer=list[InsertedJob], query=query, json=list(jdls))
