"""Steps that tests of shared datasets begin with."""

from typing import Any

from tests.served import Served


async def grant(served: Served, name: str = "mc:run1", *, account: str = "root", **more: Any) -> Any:
    """Let gridpp read a dataset of belle's."""
    document = {"kind": "DatasetGrant", "name": name, "spec": {"to": ["gridpp"]}} | more
    return await served.send("POST", "/configuration/apply", account=account, json={"documents": [document]})


async def withdraw(served: Served, name: str = "mc:run1") -> None:
    """Take that back."""
    assert (await grant(served, name, spec={}, remove=True)).status_code == 200


async def register(served: Served, rse: str, dataset: str, *names: str, size: int = 10) -> None:
    """Enter files of belle's that are on an RSE, in a dataset."""
    files = [{"did": name, "size": size, "adler32": "0000000a"} for name in names]
    body = {"rse": rse, "files": files, "dataset": dataset}
    assert (await served.send("POST", "/replicas", json=body, account="root")).status_code == 201
