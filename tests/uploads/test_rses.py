"""What is under way keeps its RSE; what was given up or is done does not."""

from typing import Any

from tests.served import Served

ADLER = "0aff020e"
BYTES = b"0123456789"


async def apply(served: Served, document: dict[str, Any]) -> Any:
    return await served.send(
        "POST", "/configuration/apply", account="root", vo="instance", json={"documents": [document]}
    )


async def begun(served: Served, name: str) -> dict[str, Any]:
    files = [{"did": f"mc:{name}", "size": len(BYTES), "adler32": ADLER, "rse": "C-DISK"}]
    return (await served.send("POST", "/uploads", json={"files": files})).json()["uploads"][0]


async def test_an_rse_can_go_once_no_upload_to_it_is_under_way(served: Served) -> None:
    spec = {"site": "SITE-A", "plugin": "posix", "prefix": f"file://{served.folder}/c", "settings": {"roots": ["/"]}}
    made = await apply(served, {"kind": "RSE", "name": "C-DISK", "spec": spec})
    assert made.status_code == 200, made.text
    grant = {"resource": {"kind": "RSE", "name": "C-DISK"}, "to": ["belle"]}
    granted = await apply(served, {"kind": "Grant", "name": "c", "spec": grant})
    assert granted.status_code == 200, granted.text
    upload = await begun(served, "one")

    refused = (await apply(served, {"kind": "RSE", "name": "C-DISK", "remove": True})).json()
    assert (refused["status"], refused["code"]) == (409, "document_in_use")
    assert "uploads under way" in refused["detail"]
    assert "intent" not in refused["detail"]

    cancelled = await served.send("POST", "/uploads/cancel", json={"intents": [upload["intent_id"]]})
    assert cancelled.status_code == 204
    gone = await apply(served, {"kind": "RSE", "name": "C-DISK", "remove": True})
    assert gone.status_code == 200, gone.text
