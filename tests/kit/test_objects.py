"""Presigned URLs allow exactly what they say; a local store keeps whole objects or none."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import SecretStr

from sancho.kit.errors import BadRequest, NotFound
from sancho.kit.object_stores import CloudObjects, LocalObjects, S3Access, SizeDiffers
from sancho.kit.objects import Allowed, Objects, SignatureWrong, check, signature
from sancho.parts import make_deployment
from sancho.settings import ObjectSettings, Settings

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SECRET = b"s" * 32


class Still:
    """A clock that stands."""

    def now(self) -> datetime:
        return NOW


@pytest.fixture
def store(tmp_path: Path) -> LocalObjects:
    return LocalObjects(tmp_path / "objects", "http://here/v1/objects", SECRET, Still())


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def test_what_was_written_is_read_back(store: LocalObjects) -> None:
    await store.write("a/b", chunks(b"one", b"two"), 6)
    assert b"".join([c async for c in store.read("a/b")]) == b"onetwo"
    assert await store.size("a/b") == 6


@pytest.mark.parametrize("size", [5, 7])
async def test_an_object_of_another_size_leaves_nothing(store: LocalObjects, size: int, tmp_path: Path) -> None:
    with pytest.raises(SizeDiffers):
        await store.write("a", chunks(b"onetwo"), size)
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []  # noqa: ASYNC240 - a test may wait


async def test_a_key_cannot_leave_the_store(store: LocalObjects) -> None:
    with pytest.raises(NotFound):
        await store.size("../outside")


async def test_a_presigned_url_is_accepted_until_it_expires(store: LocalObjects) -> None:
    url = urlsplit(await store.presign("PUT", "a/b", lifetime=timedelta(minutes=1), size=6))
    query = {k: v[0] for k, v in parse_qs(url.query).items()}
    allowed: Allowed = ("PUT", "a/b", int(query["expires"]), int(query["size"]))
    check(SECRET, allowed, given=query["signature"], now=NOW)
    with pytest.raises(SignatureWrong, match="expired"):
        check(SECRET, allowed, given=query["signature"], now=NOW + timedelta(minutes=1))


@pytest.mark.parametrize(
    "changed", [("GET", "a", 9, 1), ("PUT", "b", 9, 1), ("PUT", "a", 10, 1), ("PUT", "a", 9, 2), ("PUT", "a", 9, None)]
)
def test_a_changed_request_does_not_fit_its_signature(changed: Allowed) -> None:
    given = signature(SECRET, ("PUT", "a", 9, 1))
    with pytest.raises(SignatureWrong, match="does not fit"):
        check(SECRET, changed, given=given, now=datetime.fromtimestamp(0, UTC))


@pytest.mark.parametrize("endpoint", ["https://minio.example.org:9000", "http://127.0.0.1:9000/"])
async def test_a_store_that_is_not_amazons_is_where_its_endpoint_is(
    monkeypatch: pytest.MonkeyPatch, endpoint: str
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x" * 16)
    store = CloudObjects("s3://sandboxes/belle", S3Access(endpoint=endpoint))

    url = urlsplit(await store.presign("PUT", "ab/cd", lifetime=timedelta(minutes=5)))

    assert f"{url.scheme}://{url.netloc}" == endpoint.rstrip("/")
    assert url.path == "/sandboxes/belle/ab/cd"
    assert "X-Amz-Signature" in parse_qs(url.query)


def test_only_s3_has_an_endpoint() -> None:
    with pytest.raises(BadRequest, match="Only s3"):
        CloudObjects("gs://sandboxes", S3Access(endpoint="https://minio.example.org"))


async def test_who_has_a_key_of_s3_signs_for_it_and_who_has_it_for_a_while_sends_forms_to_us(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "key").write_text("secret\n")
    said = ObjectSettings(
        url="s3://boxes/belle", region="eu-west-1", access_key="known", secret_key_file=tmp_path / "key"
    )  # fmt: skip
    key, soon = f"sandboxes/1/{'0' * 64}.tar.gz", timedelta(minutes=5)

    def objects(said: ObjectSettings) -> Objects:
        return make_deployment(Settings(state_dir=tmp_path, objects=said)).objects

    form = await objects(said).form(key, lifetime=soon, size=3)
    assert form.url == "https://boxes.s3.eu-west-1.amazonaws.com"
    assert form.fields["key"] == f"belle/{key}"
    url = urlsplit(await objects(said).presign("PUT", key, lifetime=soon, size=3))
    assert (url.netloc, url.path) == ("boxes.s3.eu-west-1.amazonaws.com", f"/belle/{key}")
    assert parse_qs(url.query)["X-Amz-SignedHeaders"] == ["content-length;host"]

    for name, text in {"ACCESS_KEY_ID": "passing", "SECRET_ACCESS_KEY": "x", "SESSION_TOKEN": "t"}.items():
        monkeypatch.setenv(f"AWS_{name}", text)
    passing = objects(ObjectSettings(url="s3://boxes"))
    assert (await passing.form(key, lifetime=soon, size=3)).url.startswith("http://127.0.0.1:8080/v1/objects/")
    url = urlsplit(await passing.presign("PUT", key, lifetime=soon, size=3))
    assert (url.netloc, parse_qs(url.query)["X-Amz-Security-Token"]) == ("s3.us-east-1.amazonaws.com", ["t"])


@pytest.mark.parametrize("endpoint", [None, "http://127.0.0.1:9000"])
async def test_what_others_left_in_the_environment_is_not_mixed_with_a_key_of_the_settings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, endpoint: str | None
) -> None:
    config = tmp_path / "config"
    config.write_text(
        "[profile theirs]\naws_access_key_id = THEIRS\naws_secret_access_key = x\naws_session_token = TOKEN\n"
    )
    for name, text in {
        "ACCESS_KEY_ID": "THEIRS", "SECRET_ACCESS_KEY": "x", "SESSION_TOKEN": "TOKEN", "PROFILE": "theirs",
        "DEFAULT_PROFILE": "theirs", "CONFIG_FILE": str(config), "SHARED_CREDENTIALS_FILE": str(config),
        "ENDPOINT_URL_S3": "http://theirs.invalid", "SKIP_SIGNATURE": "true", "CONTAINER_CREDENTIALS_FULL_URI": "http://x",
        "WEB_IDENTITY_TOKEN_FILE": str(config), "ROLE_ARN": "theirs", "SECURITY_TOKEN": "TOKEN", "TOKEN": "TOKEN",
    }.items():  # fmt: skip
        monkeypatch.setenv(f"AWS_{name}", text)
    said = ObjectSettings(
        url="s3://boxes/b", endpoint=endpoint, region="us-east-1", access_key="OURS", secret_key=SecretStr("s")
    )
    objects, soon = make_deployment(Settings(state_dir=tmp_path, objects=said)).objects, timedelta(minutes=5)
    key = f"sandboxes/1/{'0' * 64}.tar.gz"
    urls = [await objects.presign(method, key, lifetime=soon, size=3) for method in ("GET", "PUT")]
    for url in urls:
        assert "OURS" in url
        assert "THEIRS" not in url
        assert "theirs" not in url
        assert "token" not in url.lower()
    form = await objects.form(key, lifetime=soon, size=3)
    assert form.fields["x-amz-credential"].startswith("OURS/")
    assert "token" not in str(form.fields).lower()
