"""Headers of a proxy in front: whom to believe, and what RFC 9440 makes of certificates."""

from ipaddress import ip_network

import pytest
from fastapi import Request

from sancho.kit.proxied import (
    CertificateNotFromProxy,
    CertificateUnreadable,
    client_address,
    client_certificate,
)

TRUSTED = (ip_network("10.0.0.0/24"), ip_network("fd00::/8"))


def request(peer: str | None, *headers: tuple[str, str]) -> Request:
    said = [(name.encode(), value.encode()) for name, value in headers]
    return Request({"type": "http", "client": (peer, 1) if peer else None, "headers": said})


@pytest.mark.parametrize("peer", ["10.0.0.9", "fd00::1", "::ffff:10.0.0.9"])
def test_a_chain_from_a_proxy_is_believed(peer: str) -> None:
    said = request(
        peer, ("client-cert", ":AQI=:"), ("client-cert-chain", ":Aw==:, :BA==:"), ("client-cert-chain", ":BQ==:")
    )

    assert client_certificate(said, TRUSTED) == (b"\1\2", b"\3", b"\4", b"\5")


@pytest.mark.parametrize("peer", ["10.0.1.9", "127.0.0.1", "::1", "testclient", None])
@pytest.mark.parametrize("header", ["client-cert", "client-cert-chain"])
def test_a_chain_from_anywhere_else_is_refused(peer: str | None, header: str) -> None:
    with pytest.raises(CertificateNotFromProxy):
        client_certificate(request(peer, (header, ":AQI=:")), TRUSTED)
    with pytest.raises(CertificateNotFromProxy):
        client_certificate(request("10.0.0.9", (header, "")), ())


def test_without_the_header_there_is_no_certificate() -> None:
    assert client_certificate(request("192.0.2.1"), TRUSTED) is None
    assert client_certificate(request("10.0.0.9"), TRUSTED) is None


@pytest.mark.parametrize(
    "value", ["", "AQI=", ":AQI=", ":A:", ":AQI=:;x", ":AQI=:, :AQI=:", ":A-_=:", "::", f":{'A' * 300_000}:"]
)
def test_what_is_not_rfc_9440_is_refused(value: str) -> None:
    with pytest.raises(CertificateUnreadable):
        client_certificate(request("10.0.0.9", ("client-cert", value)), TRUSTED)


def test_a_certificate_that_is_said_twice_is_refused() -> None:
    with pytest.raises(CertificateUnreadable):
        client_certificate(request("10.0.0.9", ("client-cert", ":AQI=:"), ("client-cert", ":AQI=:")), TRUSTED)


def test_a_chain_without_the_first_certificate_is_refused() -> None:
    with pytest.raises(CertificateUnreadable):
        client_certificate(request("10.0.0.9", ("client-cert-chain", ":AQI=:")), TRUSTED)


@pytest.mark.parametrize(
    ("peer", "said", "where"),
    [
        ("192.0.2.7", ["198.51.100.1"], "192.0.2.7"),
        ("10.0.0.9", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.9", ["203.0.113.66, 198.51.100.1"], "198.51.100.1"),
        ("10.0.0.9", ["203.0.113.66, 198.51.100.1, 10.0.0.8"], "198.51.100.1"),
        ("10.0.0.9", ["203.0.113.66", "198.51.100.1"], "198.51.100.1"),
        ("10.0.0.9", ["10.0.0.8"], "10.0.0.8"),
        ("10.0.0.9", ["198.51.100.1, unknown"], "10.0.0.9"),
        ("10.0.0.9", [], "10.0.0.9"),
        ("fd00::1", ["2001:db8::1"], "2001:db8::1"),
        (None, ["198.51.100.1"], ""),
    ],
)
def test_a_client_is_where_the_first_proxy_of_ours_saw_it(peer: str | None, said: list[str], where: str) -> None:
    assert client_address(request(peer, *(("x-forwarded-for", one) for one in said)), TRUSTED) == where
