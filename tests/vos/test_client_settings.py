"""What a VO tells its clients: kept as documents, read by every account of the VO."""

import pytest

from sancho.kit.db import Connection
from sancho.vos import service
from sancho.vos.errors import DocumentInvalid
from sancho.vos.kinds import KINDS, MOST_SECTIONS
from sancho.vos.model import CLIENT_SETTINGS, Document
from tests.vos.test_apply import BELLE_ADMIN


def section(name: str, **options: object) -> Document:
    return Document(kind=CLIENT_SETTINGS, name=name, spec={"options": options})


async def test_sections_are_kept_changed_and_removed_by_their_vo(conn: Connection) -> None:
    await service.apply(conn, BELLE_ADMIN, [section("upload", threads=4, verify=True), section("mail", to="x")], KINDS)
    await service.apply(conn, BELLE_ADMIN, [section("upload", threads=5)], KINDS)
    gone = Document(kind=CLIENT_SETTINGS, name="mail", remove=True)
    await service.apply(conn, BELLE_ADMIN, [gone], KINDS)
    (left,) = await service.documents(conn, [1], kind=CLIENT_SETTINGS)
    assert (left.name, left.spec) == ("upload", {"options": {"threads": 5}})
    assert await service.documents(conn, [2], kind=CLIENT_SETTINGS) == []


@pytest.mark.parametrize("options", [{}, {"a/b": 1}, {"x": None}, {"x": [1]}, {"x": "y" * 2001}, {"x": 2**70}])
async def test_what_cannot_be_an_option_is_named(conn: Connection, options: dict[str, object]) -> None:
    with pytest.raises(DocumentInvalid) as e:
        await service.apply(conn, BELLE_ADMIN, [section("upload", **options)], KINDS)
    assert "options" in str(e.value)


async def test_a_secret_is_no_option(conn: Connection) -> None:
    with pytest.raises(DocumentInvalid, match="looks like a secret"):
        await service.apply(conn, BELLE_ADMIN, [section("ftp", url="https://me:hush@ftp.example.org/")], KINDS)


async def test_a_vo_has_so_many_sections_and_no_more(conn: Connection) -> None:
    many = [section(f"s{n}", x=1) for n in range(MOST_SECTIONS)]
    await service.apply(conn, BELLE_ADMIN, many, KINDS)
    await service.apply(conn, BELLE_ADMIN, [section("s0", x=2)], KINDS)
    with pytest.raises(DocumentInvalid, match="200 sections at most"):
        await service.apply(conn, BELLE_ADMIN, [section("one-more", x=1)], KINDS)
