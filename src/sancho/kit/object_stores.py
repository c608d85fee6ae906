"""The two stores of small objects: a local folder that the server serves itself, and any cloud store.

Objects are written once under a key that names their content, so a repeated PUT is harmless.
"""

import asyncio
import contextlib
import hashlib
import os
import secrets
import tempfile
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import obstore
from obstore.store import AzureStore, GCSStore, S3Store, from_url
from pydantic import SecretStr

from sancho.kit.clock import Clock, SystemClock
from sancho.kit.errors import BadRequest, NotFound
from sancho.kit.objects import Form, Method, digest_of, signed_url
from sancho_contract.objects import Announced, ObjectSigner

CHUNK = 1 << 20


class SizeDiffers(BadRequest):
    """The object has {seen} bytes; {announced} were announced."""

    code = "size_differs"

    def __init__(self, *, seen: int, announced: int) -> None:
        """Nothing was kept."""
        super().__init__(seen=seen, announced=announced, hint="Announce its size again, and send all of it.")


class ContentDiffers(BadRequest):
    """The object is not what its name says: its SHA-256 is {seen}."""

    code = "content_differs"

    def __init__(self, *, seen: str) -> None:
        """Nothing was kept."""
        super().__init__(seen=seen, hint="Announce what you send, and send it unchanged.")


async def _checked(key: str, chunks: AsyncIterable[bytes], size: int) -> AsyncIterator[bytes]:
    """The chunks, which must be as many bytes as was said, and what the key names; else it ends in an error."""
    seen, digest = 0, hashlib.sha256()
    async for chunk in chunks:
        seen += len(chunk)
        if seen > size:
            break
        digest.update(chunk)
        if chunk:
            yield chunk
    if seen != size:
        raise SizeDiffers(seen=seen, announced=size)
    if digest_of(key) not in {None, digest.hexdigest()}:
        raise ContentDiffers(seen=digest.hexdigest())


class LocalObjects:
    """Objects as files below a private folder; presigned URLs lead to our own API."""

    verifies = True

    def __init__(self, root: Path, base_url: str, secret: bytes, clock: Clock | None = None) -> None:
        """Keep objects below `root`; sign URLs below `base_url` with `secret`."""
        self._root = root
        self.base_url = base_url
        self.secret = secret
        self._clock = clock or SystemClock()
        root.mkdir(parents=True, exist_ok=True, mode=0o700)

    def _path(self, key: str) -> Path:
        path = (self._root / key).resolve()
        if not path.is_relative_to(self._root.resolve()):
            raise NotFound(what=f"Object {key}")
        return path

    async def presign(self, method: Method, key: str, *, lifetime: timedelta, size: int | None = None) -> str:
        """A URL of our own API, good for one method on one object until it expires."""
        expires = int((self._clock.now() + lifetime).timestamp())
        return signed_url(self.base_url, self.secret, (method, key, expires, size))

    async def form(self, key: str, *, lifetime: timedelta, size: int) -> Form:
        """The same for a form, which needs no fields."""
        return Form(await self.presign("POST", key, lifetime=lifetime, size=size))

    async def size(self, key: str) -> int | None:
        """Bytes of an object; None when there is none."""
        path = self._path(key)
        return path.stat().st_size if path.exists() else None

    async def delete(self, keys: Sequence[str]) -> None:
        """Delete objects; deleting what is not there is fine."""
        for key in keys:
            self._path(key).unlink(missing_ok=True)

    async def write(self, key: str, chunks: AsyncIterable[bytes], size: int) -> None:
        """Keep an object of exactly `size` bytes, whole or not at all; raises `SizeDiffers` or `ContentDiffers`."""
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        scratch = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        try:
            with scratch.open("xb") as f:
                async for chunk in _checked(key, chunks, size):
                    f.write(chunk)
                f.flush()
                os.fsync(f.fileno())
            scratch.replace(path)
        finally:
            scratch.unlink(missing_ok=True)

    async def read(self, key: str) -> AsyncIterator[bytes]:
        """Stream an object; raises `NotFound`."""
        path = self._path(key)
        if not path.exists():
            raise NotFound(what=f"Object {key}")
        with path.open("rb") as f:
            while chunk := await asyncio.to_thread(f.read, CHUNK):
                yield chunk


@dataclass(frozen=True, kw_only=True)
class S3Access:
    """How an S3 store is reached: where it listens, when that is not Amazon, and with which key."""

    endpoint: str | None = None
    """As clients reach it, too."""
    region: str = "us-east-1"
    access_key: str | None = None
    secret_key: SecretStr | None = None
    """Without a key its credentials come from the usual environment variables; with one, nothing of them does."""
    session_token: SecretStr | None = None
    """What goes with a key that is good for a while alone."""

    def place(self, url: str) -> dict[str, str]:
        """The `url`, `bucket` and `prefix` of a bucket that is written as `s3://bucket/prefix`."""
        bucket, _, prefix = url.removeprefix("s3://").strip("/").partition("/")
        where = f"https://{bucket}.s3.{self.region}.amazonaws.com"
        if self.endpoint is not None:
            where = f"{self.endpoint.rstrip('/')}/{bucket}"
        return {"url": where, "bucket": bucket, "prefix": f"{prefix}/" if prefix else ""}


class CloudObjects:
    """Objects in S3, Google or Azure storage; clients talk to it directly, but for forms that nobody can sign."""

    verifies = False

    def __init__(
        self, url: str, s3: S3Access | None = None, *, base_url: str = "", secret: bytes = b"",
        signer: ObjectSigner | None = None, clock: Clock | None = None,
    ) -> None:  # fmt: skip
        """Use the store at `url`; its credentials come from `s3`, or the usual environment variables of that cloud.

        A `signer` makes URLs with which the store takes what was announced alone, and forms. Without one forms are
        sent to `base_url`, with `secret` to sign it.
        """
        self.base_url = base_url
        self.secret = secret
        self._signer = signer
        self._clock = clock or SystemClock()
        store = from_url(url) if s3 is None else _s3(url, s3)
        if not isinstance(store, S3Store | GCSStore | AzureStore):
            raise BadRequest(reason=f"The object store {url} cannot presign; use s3://, gs:// or az://.")
        self._store = store

    async def presign(self, method: Method, key: str, *, lifetime: timedelta, size: int | None = None) -> str:
        """A presigned URL of the store, or of our own API for a form.

        Where the store cannot look at `size` and content, they are looked at when the object is used.
        """
        if method == "POST":
            expires = int((self._clock.now() + lifetime).timestamp())
            return signed_url(self.base_url, self.secret, (method, key, expires, size))
        announced = _announced(key, size)
        if method == "PUT" and self._signer is not None and announced is not None:
            return self._signer.put(announced, lifetime=lifetime)
        return await obstore.sign_async(self._store, method, key, lifetime)

    async def form(self, key: str, *, lifetime: timedelta, size: int) -> Form:
        """A form that the store takes, where something signs such; else one of our own API."""
        announced = _announced(key, size)
        if self._signer is not None and announced is not None:
            return Form(*self._signer.form(announced, lifetime=lifetime))
        return Form(await self.presign("POST", key, lifetime=lifetime, size=size))

    async def size(self, key: str) -> int | None:
        """Bytes of an object; None when there is none."""
        try:
            return (await obstore.head_async(self._store, key))["size"]
        except FileNotFoundError:
            return None

    async def delete(self, keys: Sequence[str]) -> None:
        """Delete objects; deleting what is not there is fine."""
        with contextlib.suppress(FileNotFoundError):
            await obstore.delete_async(self._store, list(keys))

    async def write(self, key: str, chunks: AsyncIterable[bytes], size: int) -> None:
        """Keep an object of exactly `size` bytes, whole or not at all; raises `SizeDiffers` or `ContentDiffers`."""
        with tempfile.TemporaryFile() as scratch:
            async for chunk in _checked(key, chunks, size):
                await asyncio.to_thread(scratch.write, chunk)
            scratch.seek(0)
            await obstore.put_async(self._store, key, scratch)

    async def read(self, key: str) -> AsyncIterator[bytes]:
        """Stream an object; raises `NotFound`."""
        try:
            found = await obstore.get_async(self._store, key)
        except FileNotFoundError as e:
            raise NotFound(what=f"Object {key}") from e
        async for chunk in found.stream(min_chunk_size=CHUNK):
            yield bytes(chunk)


def _s3(url: str, access: S3Access) -> S3Store:
    if not url.startswith("s3://"):
        raise BadRequest(reason=f"Only s3:// has an endpoint and a key, and the object store is {url}.")
    said: Any = {"region": access.region}
    if access.endpoint is not None:
        said["endpoint"] = access.endpoint.rstrip("/")
    plain = (access.endpoint or "").startswith("http:")
    if access.access_key is None or access.secret_key is None:
        return S3Store.from_url(url, config=said, client_options={"allow_http": plain})
    token = access.session_token and access.session_token.get_secret_value()
    key: Any = {
        "access_key_id": access.access_key, "secret_access_key": access.secret_key.get_secret_value(), "token": token,
        "expires_at": None,
    }  # fmt: skip
    # The store fills what it is not told from the environment, where another's token, or place, may stand.
    said["aws_endpoint_url_s3"] = said.get("endpoint", f"https://s3.{access.region}.amazonaws.com")
    said["skip_signature"] = False
    place = access.place(url)
    return S3Store(
        place["bucket"], prefix=place["prefix"].rstrip("/") or None, config=said, client_options={"allow_http": plain},
        credential_provider=lambda: key,
    )  # fmt: skip


def _announced(key: str, size: int | None) -> Announced | None:
    """What is announced by a key that names a content, with its size."""
    digest = digest_of(key)
    return None if digest is None or size is None else Announced(key=key, size=size, sha256=bytes.fromhex(digest))
