"""Documents of kind IdentityProvider: whose people they bring in, and what they must not say."""

import pytest

from sancho.identity import plan
from sancho.identity.errors import BeyondYours, OperatorOnly
from sancho.kit.db import Connection
from sancho.vos import service as vos
from sancho.vos.errors import DocumentInvalid
from sancho.vos.model import Document
from tests.identity.helpers import acting
from tests.identity.kinds import KINDS
from tests.identity.test_accounts import ROOT

ADMIN = acting(1, "belle", 2, "root", "*")
LIMITED = acting(1, "belle", 2, "configurer", "configuration:apply", "jobs:create")


def provider(settings: dict[str, object], **more: object) -> Document:
    spec = {"issuer": "https://iam.example.org/", "settings": {"client_id": "sancho", **settings}, **more}
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


@pytest.mark.parametrize(
    "setting",
    [{"allow_http": True}, {"ca_file": "/etc/shadow"}, {"scim_url": "https://10.0.0.1/"}],
    ids=lambda setting: next(iter(setting)),
)
async def test_what_reaches_into_the_machine_or_network_is_said_by_its_operator_alone(
    conn: Connection, setting: dict[str, object]
) -> None:
    with pytest.raises(OperatorOnly, match=next(iter(setting))):
        await vos.apply(conn, ADMIN, [provider(setting)], KINDS)

    await vos.apply(conn, ADMIN, [provider({"allow_http": False})], KINDS)
    await vos.apply(conn, ROOT, [provider(setting)], KINDS)
    await vos.apply(conn, ADMIN, [provider(setting, title="Log in")], KINDS)
    with pytest.raises(OperatorOnly):
        await vos.apply(conn, ADMIN, [provider(setting, issuer="https://10.0.0.2/")], KINDS)


async def test_nobody_lets_a_provider_give_what_they_do_not_have(conn: Connection) -> None:
    taken = provider({}, groups={"/everybody": "admins"})
    with pytest.raises(BeyondYours):
        await vos.apply(conn, LIMITED, [taken], KINDS)
    with pytest.raises(BeyondYours):  # without a mapping, groups of like names would be given
        await vos.apply(conn, LIMITED, [provider({})], KINDS)

    await vos.apply(conn, ADMIN, [taken], KINDS)


@pytest.mark.parametrize(
    ("out", "active", "listed", "unbelievable"),
    [
        (1, 1, 1, False),  # the only one is suspended, and the list says so
        (1, 1, 0, True),
        (0, 0, 0, False),
        (2, 2, 2, True),
        (9, 10, 5, False),
        (6, 11, 5, True),
        (5, 11, 6, False),
    ],
)
def test_a_list_that_would_suspend_nearly_everybody_is_not_believed(
    out: int, active: int, listed: int, unbelievable: bool
) -> None:
    assert plan.is_unbelievable(out, active, listed=listed) is unbelievable
