"""The storage server: what comes in goes out again, and no half file is ever seen."""

import os
import re
import resource
import signal
import socket
import ssl
import zlib
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.storage_site import Issuer, StorageSite, ask, raw, wait_for

MIB = 1 << 20


pytestmark = pytest.mark.usefixtures("tree")


# ---- listing


def test_a_listing_tells_names_and_sizes_and_not_what_is_ours(site: StorageSite) -> None:
    with site.client() as client:
        listed = client.request("PROPFIND", "/belle/raw/", headers={"Depth": "1"})
        assert listed.status_code == 207
        assert "/belle/raw/file</" in listed.text
        assert ">25<" in listed.text or ">22<" in listed.text
        assert ".sancho" not in client.request("PROPFIND", "/", headers={"Depth": "1"}).text
        assert client.request("PROPFIND", "/", headers={"Depth": "infinity"}).status_code == 403
        assert client.request("PROPFIND", "/").status_code == 403
        assert client.request("PROPFIND", "/nothing", headers={"Depth": "0"}).status_code == 404


def test_a_listing_request_is_not_read_without_end(site: StorageSite) -> None:
    with site.client() as client:
        answer = client.request("PROPFIND", "/", headers={"Depth": "0"}, content=b"<" * (1 * MIB))
        assert answer.status_code == 413
        bomb = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbb">]><D:propfind xmlns:D="DAV:">&b;</D:propfind>'
        assert client.request("PROPFIND", "/", headers={"Depth": "0"}, content=bomb).status_code >= 400


def test_options_tell_what_there_is(site: StorageSite) -> None:
    response = ask(site, "OPTIONS", "/belle", "storage.read:/belle")
    assert (response.status_code, response.headers["DAV"]) == (200, "1")


# ---- writing


def test_missing_parents_are_made_and_a_new_file_is_told_with_its_checksum(site: StorageSite) -> None:
    response = ask(site, "PUT", "/new/folder/file", "storage.create:/new/folder/file", b"content")
    assert response.status_code == 201
    assert response.headers["Digest"] == f"adler32={zlib.adler32(b'content'):08x}"
    assert (site.root / "new/folder/file").read_bytes() == b"content"


def test_a_file_is_replaced_only_by_those_who_may_modify_and_mean_it(site: StorageSite) -> None:
    path, create, modify = "/belle/raw/file", "storage.create:/belle", "storage.modify:/belle"
    before = (site.root / "belle/raw/file").read_bytes()
    assert ask(site, "PUT", path, create, b"x", **{"If-None-Match": "*"}).status_code == 412
    assert ask(site, "PUT", path, modify, b"x", **{"If-None-Match": "*"}).status_code == 412
    assert ask(site, "PUT", path, modify, b"x", **{"If-Match": '"other"'}).status_code == 412
    assert ask(site, "PUT", path, create, b"x").status_code == 403
    assert (site.root / "belle/raw/file").read_bytes() == before
    etag = ask(site, "HEAD", path, modify).headers["ETag"]
    assert ask(site, "PUT", path, modify, b"x", **{"If-Match": etag}).status_code == 204
    assert (site.root / "belle/raw/file").read_bytes() == b"x"


def test_a_file_and_a_folder_cannot_have_the_same_name(site: StorageSite) -> None:
    with site.client() as client:
        assert client.put("/belle/raw", content=b"x").status_code == 409
        assert client.put("/belle/raw/file/below", content=b"x").status_code == 409
        assert client.put("/belle/raw/folder/", content=b"x").status_code == 409
        assert client.put("/", content=b"x").status_code == 409


def test_parts_of_files_and_encoded_files_are_not_stored(site: StorageSite) -> None:
    with site.client() as client:
        assert client.put("/part", content=b"x", headers={"Content-Range": "bytes 0-0/2"}).status_code == 400
        assert client.put("/part", content=b"x", headers={"Content-Encoding": "gzip"}).status_code == 400
    assert not (site.root / "part").exists()


def test_of_many_writers_of_one_name_one_wins(site: StorageSite) -> None:
    def write(number: int) -> int:
        body = bytes([number]) * MIB
        return ask(site, "PUT", "/race", "storage.create:/race", body, **{"If-None-Match": "*"}).status_code

    with ThreadPoolExecutor(8) as threads:
        statuses = list(threads.map(write, range(8)))
    assert sorted(statuses) == [201] + [412] * 7
    assert len(set((site.root / "race").read_bytes())) == 1
    assert (site.root / "race").stat().st_size == MIB


def begin_put(site: StorageSite, path: str, announced: int, sent: int) -> socket.socket:
    """Send the head and some of the body of a PUT, and leave it there."""
    connection = socket.create_connection(("127.0.0.1", site.port), timeout=30)
    token = site.issuer.token("storage.modify:/")
    head = f"PUT {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Length: {announced}\r\n\r\n"
    connection.sendall(head.encode() + b"x" * sent)
    return connection


def incoming(site: StorageSite) -> list[Path]:
    return list((site.root / ".sancho/incoming").glob("*"))


def whole_files(site: StorageSite) -> set[str]:
    return {path.name for path in site.root.rglob("*") if path.is_file() and ".sancho" not in path.parts}


def test_a_client_that_goes_away_in_the_middle_leaves_nothing(fresh: StorageSite) -> None:
    fresh.start()
    connection = begin_put(fresh, "/new/half", announced=10 * MIB, sent=3 * MIB)
    wait_for(lambda: bool(incoming(fresh)), "the start of the upload")
    connection.close()
    wait_for(lambda: not incoming(fresh), "the end of the upload")
    assert whole_files(fresh) == set()
    assert not (fresh.root / "new").exists()


def test_a_server_killed_in_the_middle_leaves_nothing_once_it_is_back(fresh: StorageSite) -> None:
    fresh.start()
    connection = begin_put(fresh, "/half", announced=10 * MIB, sent=3 * MIB)
    wait_for(lambda: sum(path.stat().st_size for path in incoming(fresh)) >= MIB, "the first bytes on disk")
    fresh.kill()
    connection.close()
    assert whole_files(fresh) == set()
    fresh.start()
    assert incoming(fresh) == []
    assert ask(fresh, "PUT", "/half", "storage.create:/half", b"whole").status_code == 201


def test_a_second_server_on_the_same_folder_spares_the_uploads_of_the_first(fresh: StorageSite) -> None:
    fresh.start()
    connection = begin_put(fresh, "/file", announced=3 * MIB, sent=2 * MIB)
    wait_for(lambda: bool(incoming(fresh)), "the start of the upload")
    with StorageSite(fresh.issuer, fresh.root):
        connection.sendall(b"x" * MIB)
        assert connection.recv(12) == b"HTTP/1.1 201"
    connection.close()
    assert (fresh.root / "file").stat().st_size == 3 * MIB


def test_a_stalled_upload_is_dropped(issuer: Issuer, tmp_path: Path) -> None:
    with StorageSite(issuer, tmp_path / "files", stall_timeout=0.2) as site:
        connection = begin_put(site, "/half", announced=10 * MIB, sent=MIB)
        assert connection.recv(12) == b"HTTP/1.1 408"
        connection.close()
        assert incoming(site) == []
        assert whole_files(site) == set()


def test_a_running_upload_is_finished_before_the_server_ends(fresh: StorageSite) -> None:
    fresh.start()
    connection = begin_put(fresh, "/file", announced=3 * MIB, sent=2 * MIB)
    wait_for(lambda: bool(incoming(fresh)), "the start of the upload")
    fresh.process.send_signal(signal.SIGTERM)
    connection.sendall(b"x" * MIB)
    assert connection.recv(12) == b"HTTP/1.1 201"
    connection.close()
    assert fresh.process.wait(30) == 0
    assert (fresh.root / "file").stat().st_size == 3 * MIB


def test_more_than_fits_is_refused_before_it_is_sent(site: StorageSite) -> None:
    connection = begin_put(site, "/huge", announced=1 << 60, sent=0)
    assert connection.recv(12) == b"HTTP/1.1 507"
    connection.close()


def test_a_disk_that_fills_up_is_told_and_leaves_nothing(fresh: StorageSite) -> None:
    fresh.start(before=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2 * MIB, 2 * MIB)))
    with fresh.client() as client:
        assert client.put("/file", content=b"x" * (4 * MIB)).status_code == 507
        assert (incoming(fresh), whole_files(fresh)) == ([], set())
        assert client.put("/file", content=b"x" * MIB).status_code == 201


def test_a_refused_upload_of_any_size_is_told_why(site: StorageSite) -> None:
    for size in (1, 4 * MIB, 64 * MIB):
        response = ask(site, "PUT", "/belle2/big", "storage.create:/belle", b"x" * size)
        assert (response.status_code, response.json()["code"]) == (403, "not_granted")


def test_too_many_requests_at_once_are_sent_away(issuer: Issuer, tmp_path: Path) -> None:
    with StorageSite(issuer, tmp_path / "files", max_requests=1) as site:
        connection = begin_put(site, "/slow", announced=2, sent=1)
        wait_for(lambda: bool(incoming(site)), "the start of the upload")
        status, headers, _ = raw(site, "GET", "/file", issuer.token("storage.read:/"))
        assert (status, headers["Retry-After"]) == (503, "1")
        assert raw(site, "GET", "/healthz", None)[0] == 200
        connection.close()


# ---- deleting


def test_files_and_empty_folders_are_deleted_and_full_ones_are_not(site: StorageSite) -> None:
    with site.client() as client:
        assert client.delete("/belle/other").status_code == 409
        assert client.delete("/belle/other/file").status_code == 204
        assert client.delete("/belle/other/file").status_code == 404
        assert client.delete("/belle/other/file/below").status_code == 404
        assert client.delete("/belle/other/").status_code == 204
        assert client.delete("/").status_code == 403


# ---- reading


@pytest.mark.parametrize(
    ("asked", "status", "expected"),
    [
        ("bytes=0-3", 206, b"0123"),
        ("bytes=4-", 206, b"456789"),
        ("bytes=-3", 206, b"789"),
        ("bytes=8-100", 206, b"89"),
        ("bytes=-100", 206, b"0123456789"),
        ("bytes=9-9", 206, b"9"),
        ("bytes=10-", 416, None),
        ("bytes=-0", 416, None),
        ("bytes=5-2", 200, b"0123456789"),
        ("bytes=0-1,4-5", 200, b"0123456789"),
        ("bytes=-", 200, b"0123456789"),
        ("lines=1-2", 200, b"0123456789"),
    ],
)
def test_ranges_are_served(site: StorageSite, asked: str, status: int, expected: bytes | None) -> None:
    (site.root / "digits").write_bytes(b"0123456789")
    response = ask(site, "GET", "/digits", "storage.read:/digits", Range=asked)
    assert response.status_code == status
    if expected is not None:
        assert response.content == expected
    if status == 206:
        start = b"0123456789".index(response.content)
        assert response.headers["Content-Range"] == f"bytes {start}-{start + len(response.content) - 1}/10"
    if status == 416:
        assert response.headers["Content-Range"] == "bytes */10"


def test_a_range_of_an_older_version_gives_the_whole_newer_one(site: StorageSite) -> None:
    etag = ask(site, "HEAD", "/belle/raw/file", "storage.read:/").headers["ETag"]
    with site.client() as client:
        same = client.get("/belle/raw/file", headers={"Range": "bytes=3-", "If-Range": etag})
        client.put("/belle/raw/file", content=b"another")
        changed = client.get("/belle/raw/file", headers={"Range": "bytes=3-", "If-Range": etag})
    assert (same.status_code, changed.status_code, changed.content) == (206, 200, b"another")


def test_a_checksum_is_told_when_it_is_wanted(site: StorageSite) -> None:
    content = (site.root / "belle/raw/file").read_bytes()
    digest = f"adler32={zlib.adler32(content):08x}"
    for method in ("GET", "HEAD"):
        for wanted, told in (
            ("adler32", digest),
            ("md5;q=0.1, Adler32;q=1", digest),
            ("md5", None),
            ("adler32;q=0", None),
        ):
            response = ask(site, method, "/belle/raw/file", "storage.read:/", None, **{"Want-Digest": wanted})
            assert response.headers.get("Digest") == told, wanted


def test_a_checksum_is_that_of_the_bytes_which_are_there_now(site: StorageSite) -> None:
    path = site.root / "belle/raw/file"
    with site.client() as client:
        client.put("/belle/raw/file", content=b"as written")
        path.write_bytes(b"another size")
        changed = client.head("/belle/raw/file", headers={"Want-Digest": "adler32"}).headers["Digest"]
        assert changed == f"adler32={zlib.adler32(b'another size'):08x}"
        times = path.stat()
        path.write_bytes(b"rotten! size")
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
        anew = client.head("/belle/raw/file", headers={"Want-Digest": "adler32", "Cache-Control": "no-cache"})
        assert anew.headers["Digest"] == f"adler32={zlib.adler32(b'rotten! size'):08x}"


def test_memory_stays_constant_while_large_files_go_in_and_out(fresh: StorageSite) -> None:
    fresh.start()
    size, piece = 200 * MIB, os.urandom(MIB)

    def pieces() -> Generator[bytes]:
        for _ in range(size // MIB):
            yield piece

    with fresh.client() as client:
        client.put("/warm", content=piece)
        before = fresh.memory("VmRSS")
        assert client.put("/big", content=pieces(), headers={"Content-Length": str(size)}).status_code == 201
        received = 0
        with client.stream("GET", "/big", headers={"Want-Digest": "adler32"}) as response:
            for part in response.iter_raw():
                received += len(part)
        assert received == size
        assert fresh.memory("VmHWM") - before < 40 * MIB


def test_a_reader_that_goes_away_frees_its_place(issuer: Issuer, tmp_path: Path) -> None:
    with StorageSite(issuer, tmp_path / "files", max_requests=1) as site:
        with (site.root / "big").open("wb") as big:
            big.truncate(1 << 36)
        with site.client() as client, client.stream("GET", "/big") as response:
            assert len(next(response.iter_raw(MIB))) == MIB
        wait_for(lambda: raw(site, "HEAD", "/big", issuer.token("storage.read:/"))[0] == 200, "the place being free")


# ---- being run


def test_no_token_is_ever_logged(site: StorageSite) -> None:
    token = site.issuer.token("storage.read:/belle", sub="logged\nsubject")
    raw(site, "GET", "/belle/raw/file?authz=secret", token, traceparent="00-aaaa-bb-01")
    raw(site, "GET", "/belle/raw/file", f"{token}x")
    log = site.log()
    assert "trace=00-aaaa-bb-01" in log
    assert "subject=logged%0Asubject" in log
    assert not re.search(r"eyJ|Bearer|authz|=secret", log)
    assert "Traceback" not in log


def test_it_serves_tls(issuer: Issuer, tmp_path: Path) -> None:
    certificate = self_signed(tmp_path)
    with StorageSite(issuer, tmp_path / "files", tls_certificate=certificate, tls_key=certificate) as site:
        trust = ssl.create_default_context(cafile=certificate)
        with httpx2.Client(verify=trust, trust_env=False) as client:
            assert client.get(f"{site.url}/healthz").status_code == 200


def self_signed(folder: Path) -> Path:
    """A certificate for loopback, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(private + certificate.public_bytes(Encoding.PEM))
    return path
