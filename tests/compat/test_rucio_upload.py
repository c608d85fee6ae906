"""The unmodified `rucio upload` and `rucio download` move files to and from storages."""

import asyncio
import io
import tarfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import pytest

from sancho.rules.tasks import settle
from tests.compat.rucio_client import Online, PythonClient
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
    documents = [{"kind": "RSE", "name": "FOLDER", "vo": "belle", "spec": spec}]
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
