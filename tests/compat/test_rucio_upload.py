"""The unmodified `rucio upload` and `rucio download` move files to and from storages."""

import asyncio
import io
import socket
import tarfile
import zlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import httpx2
import pytest
import uvicorn

from sancho.local.tls import ensure_certificates
from sancho.rules.tasks import settle
from sancho_plugins.webdav_server import StorageServerSettings
from sancho_plugins.webdav_server.app import StorageApp
from tests.compat.rucio_client import Online, PythonClient, refused
from tests.conftest import eventually
from tests.identity.helpers import PASSWORD

pytestmark = pytest.mark.xdist_group("rucio_upload")  # one server for all
CONTENT = b"what was measured\n" * 1000


@pytest.fixture(scope="module")
async def prepared(rucio: Online, root: PythonClient, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """An RSE of belle's in a folder of this machine; the environment of its administrator."""
    folder = tmp_path_factory.mktemp("disk")
    spec = {
        "site": "SITE-A", "plugin": "posix", "prefix": f"file://{folder}", "settings": {"roots": [str(folder)]},
        "naming": "identity",
    }  # fmt: skip
    documents = [
        {"kind": "RSE", "name": "FOLDER", "vo": "belle", "spec": spec},
        {"kind": "RSE", "name": "SHUT", "vo": "belle", "spec": {**spec, "writable": False}},
    ]
    applied = await rucio.send(
        "POST", "/configuration/apply", account="root", json={"documents": documents},
        headers={"authorization": f"Bearer {rucio.token('instance:root')}"},
    )  # fmt: skip
    assert applied.status_code == 200, applied.text
    return rucio.configure(auth_type="userpass", username="root", account="root", password=PASSWORD)


async def settled(rucio: Online) -> None:
    """Do what was queued when files arrived."""
    async with rucio.deployment.database.transaction([1]) as conn:
        take = "DELETE FROM procrastinate_jobs WHERE task_name = 'rules:settle' RETURNING args"
        queued = [args for (args,) in await (await conn.execute(take)).fetchall()]
    for args in queued:
        await settle(rucio.deployment, vo=args["vo"], keys=args["keys"])


async def test_a_file_goes_to_a_storage_and_comes_back(
    rucio: Online, prepared: Mapping[str, str], root: PythonClient, tmp_path: Path
) -> None:
    here = tmp_path / "measured.dat"
    await asyncio.to_thread(here.write_bytes, CONTENT)

    code, said = await rucio.run(
        "upload", "--rse", "FOLDER", "--scope", "mc", str(here), environment=prepared
    )  # fmt: skip

    assert code == 0, said
    (one,) = await root.call("list_replicas", [{"scope": "mc", "name": "measured.dat"}])
    assert (one["bytes"], one["adler32"]) == (len(CONTENT), f"{zlib.adler32(CONTENT):08x}")
    assert one["states"] == {"FOLDER": "AVAILABLE"}
    (url,) = one["pfns"]
    assert url.endswith("/belle/mc/measured.dat")
    assert await asyncio.to_thread(Path(url.removeprefix("file://localhost")).read_bytes) == CONTENT
    await settled(rucio)
    (rule,) = await root.call("list_did_rules", "mc", "measured.dat")
    assert (rule["state"], rule["rse_expression"]) == ("OK", "FOLDER")
    code, said = await rucio.run("download", "--dir", str(tmp_path / "got"), "mc:measured.dat", environment=prepared)
    assert code == 0, said
    assert (tmp_path / "got/mc/measured.dat").read_bytes() == CONTENT


async def test_a_file_goes_into_a_dataset(
    rucio: Online, prepared: Mapping[str, str], root: PythonClient, tmp_path: Path
) -> None:
    here = tmp_path / "part.dat"
    await asyncio.to_thread(here.write_bytes, CONTENT)

    code, said = await rucio.run(
        "upload", "--rse", "FOLDER", "--scope", "mc", "mc:up/set", str(here), environment=prepared
    )  # fmt: skip

    assert code == 0, said
    assert [child["name"] for child in await root.call("list_content", "mc", "up/set")] == ["part.dat"]
    _, said = await rucio.run(
        "upload", "--rse", "FOLDER", "--scope", "mc", str(here), environment=prepared
    )  # fmt: skip
    assert "already exists" in said


async def test_a_file_is_taken_out_of_its_archive(
    rucio: Online, prepared: Mapping[str, str], root: PythonClient, tmp_path: Path
) -> None:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as made:
        inside = tarfile.TarInfo("packed.dat")
        inside.size = len(CONTENT)
        made.addfile(inside, io.BytesIO(CONTENT))
    archive = {"scope": "mc", "name": "all.tar.gz", "bytes": len(whole.getvalue())}
    await root.call("add_replicas", "FOLDER", [archive])
    file = {"scope": "mc", "name": "packed.dat", "bytes": len(CONTENT), "adler32": f"{zlib.adler32(CONTENT):08x}"}
    assert await root.call("add_files_to_archive", "mc", "all.tar.gz", [file]) is True
    [found] = await root.call("list_replicas", [{"scope": "mc", "name": "packed.dat"}])
    place = Path(next(iter(found["pfns"])).removeprefix("file://localhost"))
    await asyncio.to_thread(place.parent.mkdir, parents=True, exist_ok=True)
    await asyncio.to_thread(place.write_bytes, whole.getvalue())

    code, said = await rucio.run("download", "--dir", str(tmp_path / "got"), "mc:packed.dat", environment=prepared)

    assert code == 0, said
    assert (tmp_path / "got/mc/packed.dat").read_bytes() == CONTENT


@pytest.fixture(scope="module")
async def signing(
    rucio: Online, prepared: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Path]:
    """An RSE of belle's on a storage server of ours, over https, whose URLs may be signed: the folder it serves."""
    folder = tmp_path_factory.mktemp("signing")
    await asyncio.to_thread(ensure_certificates, folder / "tls")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        settings = StorageServerSettings(
            name="signing", root=folder / "files", port=port, issuer=rucio.url,
            jwks_url=f"{rucio.url}/.well-known/jwks.json", audience=f"https://127.0.0.1:{port}",
        )  # fmt: skip
        config = uvicorn.Config(
            StorageApp(settings), http="httptools", log_config=None, timeout_graceful_shutdown=1,
            ssl_certfile=folder / "tls/server.pem", ssl_keyfile=str(folder / "tls/server.key"),
        )  # fmt: skip
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        await eventually(lambda: server.started)
        spec = {
            "site": "SITE-A", "plugin": "webdav", "prefix": f"https://127.0.0.1:{port}", "naming": "hash",
            "settings": {"ca_file": str(folder / "tls/ca.pem"), "signed_urls": True},
        }  # fmt: skip
        documents = [{"kind": "RSE", "name": "SIGNING", "vo": "belle", "spec": spec}]
        applied = await rucio.send(
            "POST", "/configuration/apply", json={"documents": documents},
            headers={"authorization": f"Bearer {rucio.token('instance:root')}"},
        )  # fmt: skip
        assert applied.status_code == 200, applied.text
        yield folder / "files"
        server.should_exit = True
        await serving


async def test_a_user_uploads_to_a_storage_that_knows_tokens_alone(
    rucio: Online, signing: Path, alice: PythonClient, tmp_path: Path
) -> None:
    here = tmp_path / "mine.dat"
    await asyncio.to_thread(here.write_bytes, CONTENT)
    mine = rucio.configure(auth_type="userpass", username="alice", password=PASSWORD)

    code, said = await rucio.run("upload", "--rse", "SIGNING", "--scope", "mc", str(here), environment=mine)

    assert code == 0, said
    (one,) = await alice.call("list_replicas", [{"scope": "mc", "name": "mine.dat"}])
    assert one["states"] == {"SIGNING": "AVAILABLE"}
    (url,) = one["pfns"]
    assert "authz" not in url
    path = url.partition("/belle/")[2]
    assert await asyncio.to_thread((signing / "belle" / path).read_bytes) == CONTENT
    code, said = await rucio.run("download", "--dir", str(tmp_path / "got"), "mc:mine.dat", environment=mine)
    assert code == 0, said
    assert (tmp_path / "got/mc/mine.dat").read_bytes() == CONTENT
    (rule,) = await alice.call("list_did_rules", "mc", "mine.dat")
    assert rule["account"] == "alice"


async def test_urls_are_signed_for_one_file_and_one_purpose(
    rucio: Online, signing: Path, root: PythonClient, alice: PythonClient, gridpp: PythonClient
) -> None:
    said = await alice.call("get_rse", "SIGNING")
    assert (said["sign_url"], said["protocols"][0]["impl"]) == ("webdav", "rucio.rse.protocols.webdav.NoRename")
    assert (await alice.call("get_rse", "FOLDER"))["sign_url"] is None
    (one, other) = (await alice.call("lfns2pfns", "SIGNING", ["mc:s/1", "mc:s/2"])).values()
    file = {"scope": "mc", "name": "s/1", "bytes": 3, "adler32": f"{zlib.adler32(b'abc'):08x}", "state": "C"}
    await refused(alice, "AccessDenied", "get_signed_url", "SIGNING", "webdav", "write", one)
    assert await alice.call("add_replicas", "SIGNING", [file]) is True
    write = await alice.call("get_signed_url", "SIGNING", "webdav", "write", one)
    read = await alice.call("get_signed_url", "SIGNING", "webdav", "read", one, lifetime=60)
    async with httpx2.AsyncClient(verify=False) as web:
        assert (await web.get(one)).status_code == 401
        assert (await web.get(read)).status_code == 404
        assert (await web.put(read, content=b"abc")).status_code == 403
        assert (await web.put(write.replace(one, other), content=b"abc")).status_code == 403
        await refused(alice, "FileConsistencyMismatch", "update_replicas_states", "SIGNING", [{**file, "state": "A"}])
        assert (await web.put(write, content=b"abc")).status_code == 201
        assert (await web.put(write, content=b"abd")).status_code == 403
        assert (await web.get(read)).content == b"abc"
        assert (await web.get(write)).status_code == 403
    assert await alice.call("update_replicas_states", "SIGNING", [{**file, "state": "A"}]) is True
    await refused(root, "Duplicate", "get_signed_url", "SIGNING", "webdav", "write", one)
    assert "authz=" in await root.call("get_signed_url", "SIGNING", "webdav", "write", other)
    await refused(alice, "UnsupportedOperation", "get_signed_url", "SIGNING", "webdav", "delete", one)
    await refused(alice, "RSEOperationNotSupported", "get_signed_url", "FOLDER", "webdav", "read", one)
    await refused(alice, "InvalidPath", "get_signed_url", "SIGNING", "s3", "read", one.replace("/belle/", "/gridpp/"))
    await refused(gridpp, "RSENotFound", "get_signed_url", "SIGNING", "webdav", "read", one)
    (listed,) = await alice.call("list_replicas", [{"scope": "mc", "name": "s/1"}], signature_lifetime=60)
    assert [url.partition("?authz=")[0] for url in listed["pfns"]] == [one]


async def test_a_user_announces_only_what_its_name_and_quota_allow(
    rucio: Online, alice: PythonClient, prepared: Mapping[str, str]
) -> None:
    file = {"scope": "mc", "name": "a/1", "bytes": 3, "adler32": "024d0127", "state": "C"}
    await refused(alice, "AccessDenied", "add_replicas", "FOLDER", [{**file, "state": "A"}])
    await refused(alice, "AccessDenied", "add_replicas", "FOLDER", [{**file, "pfn": "/belle/mc/elsewhere"}])
    await refused(alice, "RSEWriteBlocked", "add_replicas", "SHUT", [file])
    quota = {"kind": "Quota", "name": "alices", "vo": "belle",
             "spec": {"account": "alice", "rse_expression": "FOLDER", "size": 2}}  # fmt: skip
    for remove in (False, True):
        documents = {"documents": [{**quota, "remove": remove}]}
        assert (await rucio.send("POST", "/configuration/apply", account="root", json=documents)).status_code == 200
        if not remove:
            await refused(alice, "InsufficientAccountLimit", "add_replicas", "FOLDER", [file])
    assert await alice.call("add_replicas", "FOLDER", [file]) is True
    await refused(alice, "FileConsistencyMismatch", "update_replicas_states", "FOLDER", [{**file, "state": "A"}])
    assert await alice.call("update_replicas_states", "FOLDER", [{**file, "state": "U"}]) is True
