"""Certificates that clients of this machine can trust."""

import asyncio
import ssl
import stat
from datetime import timedelta
from pathlib import Path

import pytest

from sancho.local import tls


async def greet(folder: Path, name: str) -> bytes:
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(folder / "server.pem", folder / "server.key")

    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=serving)
    async with server:
        port = server.sockets[0].getsockname()[1]
        trust = tls.trust(folder / "ca.pem")
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trust, server_hostname=name)
        said = await reader.read()
        writer.close()
        await writer.wait_closed()
        return said


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
async def test_who_trusts_our_authority_trusts_our_server(tmp_path: Path, name: str) -> None:
    tls.ensure_certificates(tmp_path)
    assert await greet(tmp_path, name) == b"hello"
    for key in ("ca.key", "server.key"):
        assert stat.S_IMODE((tmp_path / key).stat().st_mode) == 0o600


async def test_an_old_certificate_is_renewed_under_the_same_authority(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls.ensure_certificates(tmp_path)
    authority, first = (tmp_path / "ca.pem").read_bytes(), (tmp_path / "server.pem").read_bytes()
    tls.ensure_certificates(tmp_path)
    assert (tmp_path / "server.pem").read_bytes() == first
    monkeypatch.setattr(tls, "RENEW_BEFORE", tls.SERVER_LIFE + timedelta(days=1))
    tls.ensure_certificates(tmp_path)
    assert (tmp_path / "server.pem").read_bytes() != first
    assert (tmp_path / "ca.pem").read_bytes() == authority
    assert await greet(tmp_path, "localhost") == b"hello"
