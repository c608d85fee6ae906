"""What tests of Rucio's clients begin with: files, trees of collections, and what is refused."""

from collections.abc import Sequence
from typing import Any

import pytest

from tests.compat.rucio_client import Online, PythonClient, Raised


async def registered(rucio: Online, *names: str) -> None:
    """Files in scope `mc`, of 10, 20, 30 … bytes."""
    files = [{"did": f"mc:{name}", "size": 10 * n, "adler32": "0000000a"} for n, name in enumerate(names, 1)]
    made = await rucio.send("POST", "/replicas", account="root", json={"rse": "A-DISK", "files": files})
    assert made.status_code == 201, made.text


def named(*names: str, scope: str = "mc") -> list[dict[str, Any]]:
    return [{"scope": scope, "name": name} for name in names]


def names(listed: Sequence[dict[str, Any]]) -> list[str]:
    return [one["name"] for one in listed]


async def refused(client: PythonClient, method: str, *arguments: Any, **more: Any) -> tuple[str, str]:
    """The class that a call raises, and its message."""
    with pytest.raises(Raised) as e:
        await client.call(method, *arguments, **more)
    return e.value.kind, str(e.value)


async def given_tree(rucio: Online, alice: PythonClient, top: str) -> None:
    """A container of a container and a dataset, which share a file."""
    await registered(rucio, f"{top}/a", f"{top}/b")
    await alice.call("add_datasets", named(f"{top}/d", f"{top}/e"))
    await alice.call("add_containers", named(f"{top}/c", f"{top}/cc"))
    await alice.call("attach_dids", "mc", f"{top}/d", named(f"{top}/a", f"{top}/b"))
    await alice.call("attach_dids", "mc", f"{top}/e", named(f"{top}/b"))
    await alice.call("attach_dids", "mc", f"{top}/cc", named(f"{top}/d"))
    await alice.call("attach_dids", "mc", f"{top}/c", named(f"{top}/cc", f"{top}/e"))
