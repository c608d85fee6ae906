"""URLs of S3, signed with version 4 of its signatures; the store checks size and SHA-256 of what is sent.

Amazon's S3, SeaweedFS and others take the checksum of a PUT from the query, where it is signed too. One that only knows
it as a header takes what has the announced size; whoever uses it looks at the content then.
"""

import base64
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from botocore.auth import S3SigV4PostAuth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from pydantic import BaseModel, ConfigDict, SecretStr

from sancho_contract.objects import Announced


class S3Settings(BaseModel):
    """One bucket, and who signs."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    url: str
    """Where the bucket is, without a slash at its end: `https://s3.example.org/bucket`."""
    bucket: str
    """Its name."""
    prefix: str = ""
    """What all keys begin with, such as `sancho/`."""
    region: str = "us-east-1"
    access_key: str
    secret_key: SecretStr


class S3Signer:
    """Signs with one key."""

    Settings: type[BaseModel] = S3Settings

    def __init__(self, settings: S3Settings) -> None:
        """Nothing is asked of the store."""
        self._settings = settings
        self._credentials = Credentials(settings.access_key, settings.secret_key.get_secret_value())

    def put(self, announced: Announced, *, lifetime: timedelta) -> str:
        """See `ObjectSigner.put`."""
        checksum = {"x-amz-checksum-sha256": _text(announced.sha256)}
        return self._query("PUT", announced.key, lifetime, checksum, {"content-length": str(announced.size)})

    def get(self, key: str, *, lifetime: timedelta) -> str:
        """See `ObjectSigner.get`."""
        return self._query("GET", key, lifetime)

    def form(self, announced: Announced, *, lifetime: timedelta) -> tuple[str, Mapping[str, str]]:
        """See `ObjectSigner.form`."""
        fields = {
            "key": self._settings.prefix + announced.key,
            "x-amz-checksum-algorithm": "SHA256",
            "x-amz-checksum-sha256": _text(announced.sha256),
        }
        conditions: list[Any] = [{"bucket": self._settings.bucket}, *({name: text} for name, text in fields.items())]
        conditions.append(["content-length-range", announced.size, announced.size])
        expires = (datetime.now(UTC) + lifetime).strftime("%Y-%m-%dT%H:%M:%SZ")
        request: Any = AWSRequest(method="POST", url=self._settings.url)
        request.context["s3-presign-post-fields"] = fields
        request.context["s3-presign-post-policy"] = {"expiration": expires, "conditions": conditions}
        auth: Any = S3SigV4PostAuth(self._credentials, "s3", self._settings.region)
        auth.add_auth(request)
        return self._settings.url, dict(request.context["s3-presign-post-fields"])

    def _query(
        self, method: str, key: str, lifetime: timedelta, query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> str:  # fmt: skip
        url = f"{self._settings.url}/{quote(self._settings.prefix + key)}"
        request: Any = AWSRequest(method=method, url=url, params=dict(query or {}), headers=dict(headers or {}))
        seconds = int(lifetime.total_seconds())
        auth: Any = S3SigV4QueryAuth(self._credentials, "s3", self._settings.region, expires=seconds)
        auth.add_auth(request)
        return str(request.prepare().url)


def _text(digest: bytes) -> str:
    return base64.b64encode(digest).decode()
