"""Documents of kind IdentityProvider: whose people they bring in, and what they must not say."""

import pytest

from sancho.kit.db import Connection
from sancho.vos import service as vos
from sancho.vos.errors import DocumentInvalid
from sancho.vos.model import Document
from tests.identity.kinds import KINDS
from tests.identity.test_accounts import ROOT


def provider(settings: dict[str, object]) -> Document:
    spec = {"issuer": "https://iam.example.org/", "settings": {"client_id": "sancho", **settings}}
    return Document(kind="IdentityProvider", name="iam", vo="belle", spec=spec)


async def test_a_document_is_checked_by_the_plugin_that_it_names(conn: Connection) -> None:
    await vos.apply(conn, ROOT, [provider({"profile": "iam", "client_secret": "iam", "scim": True})], KINDS)
    with pytest.raises(DocumentInvalid, match="public client"):
        await vos.apply(conn, ROOT, [provider({"profile": "iam", "scim": True})], KINDS)


async def test_the_settings_of_a_plugin_cannot_name_another_issuer_than_the_one_that_the_vo_has(
    conn: Connection,
) -> None:
    with pytest.raises(DocumentInvalid, match="one VO alone") as invalid:
        await vos.apply(conn, ROOT, [provider({"issuer": "https://of-another-vo.example.org/"})], KINDS)
    assert str(invalid.value.field).endswith("settings.issuer")
