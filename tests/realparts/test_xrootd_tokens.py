"""A real XRootD takes the tokens that we make for a storage, for their paths and for nothing else."""

import shutil
import ssl
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest

from sancho.app import create_app
from sancho.kit.deployment import Deployment
from sancho.kit.issuer import Issuer, ensure_key, rotate
from sancho.parts import make_deployment
from sancho.rses import service as rses
from sancho.rses.model import Rse
from sancho.settings import Settings
from tests.realparts.pki import Authority
from tests.realparts.serving import serving
from tests.realparts.xrootd import USER, XRootD, xrootd
from tests.storage_site import free_port

MINUTE = timedelta(minutes=1)

pytestmark = pytest.mark.xdist_group("xrootd")  # one server for all


@dataclass
class Storage:
    """A storage and us, who make the tokens for it."""

    door: XRootD
    deployment: Deployment
    client: httpx2.AsyncClient
    keys: Path

    def rse(self, audience: str | None = None) -> Rse:
        return Rse(
            rse_id=1, vo=1, name="X-DISK", site_id=1, site="X", audience=audience or self.door.audience,
            plugin="webdav", prefix=self.door.url, settings={}, attributes={},
            readable=True, writable=True, deletable=True, naming="hash",
        )  # fmt: skip

    def token(
        self, *, read: Sequence[str] = (), create: Sequence[str] = (), modify: Sequence[str] = (),
        audience: str | None = None, lifetime: timedelta = MINUTE,
    ) -> str:  # fmt: skip
        """What a job, a pilot or a transfer is given."""
        return rses.token(
            self.deployment.signer, self.rse(audience), subject="belle:alice", lifetime=lifetime,
            read=read, create=create, modify=modify,
        )  # fmt: skip

    async def ask(self, method: str, path: str, token: str | None, content: bytes | None = None) -> httpx2.Response:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return await self.client.request(method, self.door.url + path, headers=headers, content=content)

    def put(self, path: str, content: bytes) -> None:
        """Let a file be there."""
        file = self.door.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        for made in (file, *file.relative_to(self.door.root).parents):
            shutil.chown(self.door.root / made, USER, USER)


@pytest.fixture(scope="module")
async def storage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Storage]:
    folder = tmp_path_factory.mktemp("xrootd")
    authority, port = Authority(folder / "pki"), free_port()
    host, issuer = authority.host(), f"https://localhost:{port}"
    settings = Settings(state_dir=folder, public_url=issuer)
    ensure_key(settings.keys)
    deployment = make_deployment(settings)
    async with (
        serving(create_app(settings, deployment), port, host),
        httpx2.AsyncClient(
            verify=ssl.create_default_context(cafile=authority.file),
            trust_env=False,
            limits=httpx2.Limits(max_keepalive_connections=0),  # XRootD hangs up after a refusal
        ) as client,
    ):
        with xrootd(authority, host, issuer) as door:
            yield Storage(door, deployment, client, settings.keys)


async def test_a_file_is_read_with_a_token_for_its_path(storage: Storage) -> None:
    storage.put("/belle/mc/001/1/one", b"events")

    answer = await storage.ask("GET", "/belle/mc/001/1/one", storage.token(read=["/belle/mc/001/1/one"]))

    assert (answer.status_code, answer.content) == (200, b"events"), storage.door.log.read_text()


async def test_a_file_is_made_with_a_token_for_the_area_above_it(storage: Storage) -> None:
    answer = await storage.ask("PUT", "/belle/mc/002/2/two", storage.token(create=["/belle/mc/002"]), b"more events")

    assert answer.status_code in {200, 201}, answer.text
    assert (storage.door.root / "belle/mc/002/2/two").read_bytes() == b"more events"


async def test_a_neighbouring_path_is_refused(storage: Storage) -> None:
    """The file of another DID, of another scope, of another VO; also of a DID whose id begins alike."""
    ours = "/belle/mc/003/3/three"
    others = ("/belle/mc/003/4/three", "/belle/mc/003/33/three", "/belle/raw/003/3/three", "/cms/mc/003/3/three")
    for path in (ours, *others):
        storage.put(path, path.encode())
    token = storage.token(read=[ours], create=[ours], modify=[ours])

    assert (await storage.ask("GET", ours, token)).content == ours.encode()
    for path in (*others, "/belle/mc/003/3/../33/three", "/belle/mc/003/3/three/../../4/three", "/belle/mc/003", "/"):
        for method in ("GET", "PUT", "DELETE"):
            answer = await storage.ask(method, path, token, b"mine now" if method == "PUT" else None)
            assert answer.status_code >= 400, (method, path)
    for path in others:
        assert (storage.door.root / path.lstrip("/")).read_bytes() == path.encode()


async def test_a_token_to_make_files_reads_none_and_one_to_read_makes_none(storage: Storage) -> None:
    storage.put("/belle/mc/004/4/four", b"events")
    path = "/belle/mc/004/4/four"

    assert (await storage.ask("GET", path, storage.token(create=[path]))).status_code == 403
    assert (await storage.ask("PUT", path + "x", storage.token(read=[path + "x"]), b"x")).status_code == 403
    assert (await storage.ask("DELETE", path, storage.token(read=[path], create=[path]))).status_code == 403


async def test_a_file_is_deleted_with_a_token_that_also_reads_it(storage: Storage) -> None:
    """This release looks at a file before it deletes it, and wants a token that may."""
    path = "/belle/mc/004/4/five"
    storage.put(path, b"events")

    assert (await storage.ask("DELETE", path, storage.token(modify=[path]))).status_code == 403
    assert (await storage.ask("DELETE", path, storage.token(read=[path], modify=[path]))).status_code in {200, 204}
    assert not (storage.door.root / path.lstrip("/")).exists()


async def test_a_token_for_another_storage_is_refused(storage: Storage) -> None:
    storage.put("/belle/mc/005/5/five", b"events")
    path = "/belle/mc/005/5/five"

    for audience in ("https://elsewhere.test", storage.deployment.signer.issuer, storage.door.audience + ".test"):
        assert (await storage.ask("GET", path, storage.token(read=[path], audience=audience))).status_code == 403


async def test_a_token_that_has_ended_is_refused(storage: Storage) -> None:
    storage.put("/belle/mc/006/6/six", b"events")
    path = "/belle/mc/006/6/six"

    ended = storage.token(read=[path], lifetime=timedelta(hours=-1))

    assert (await storage.ask("GET", path, ended)).status_code == 403


async def test_no_token_a_changed_one_and_one_of_another_issuer_are_refused(storage: Storage, tmp_path: Path) -> None:
    storage.put("/belle/mc/007/7/seven", b"events")
    path = "/belle/mc/007/7/seven"
    good = storage.token(read=[path])
    ensure_key(tmp_path / "keys")
    forger = Issuer(tmp_path / "keys", storage.deployment.signer.issuer)
    forged = rses.token(forger, storage.rse(), subject="belle:alice", lifetime=MINUTE, read=[path])

    for token in (None, good[:-8] + "AAAAAAAA", forged):
        assert (await storage.ask("GET", path, token)).status_code == 403
    assert (await storage.ask("GET", path, good)).status_code == 200


async def test_after_new_keys_were_made_the_storage_goes_on_taking_our_tokens(storage: Storage) -> None:
    """It does not ask for our keys again as soon as it sees one that it does not know."""
    path = "/belle/mc/010/10/ten"
    storage.put(path, b"events")
    before = storage.token(read=[path])
    assert (await storage.ask("GET", path, before)).status_code == 200

    rotate(storage.keys)

    for token in (before, storage.token(read=[path])):
        assert (await storage.ask("GET", path, token)).status_code == 200
