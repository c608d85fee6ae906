"""A DiracX configuration becomes ours: what its own tools wrote, what others did, and what nobody should have."""

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from sancho.cli import main
from sancho.identity import service as identity
from sancho.identity import store
from sancho.identity.model import Proof
from sancho.identity.service import identities, providers
from sancho.kit.access import Principal
from sancho.vos import service as vos
from sancho.vos.model import Document
from sancho_contract.identity import Person
from tests.compat.diracx_client import BIN
from tests.compat.test_diracx_config import configure
from tests.realparts.parts import lack
from tests.served import Served

ISSUER = "https://iam.example.org/realms/ska"
SKA: dict[str, Any] = {
    "DIRAC": {},
    "Registry": {
        "SKA": {
            "IdP": {"URL": ISSUER, "ClientID": "dirac-of-ska"},
            "DefaultGroup": "ska_user", "DefaultProxyLifeTime": 43_200, "VOMSName": "ska.org",
            "Support": {"Email": "help@ska.org", "Webpage": "https://ska.org", "Message": "Ask"},
            "Users": {
                "sub-1": {"PreferedUsername": "jane", "Email": "jane@ska.org", "Suspended": [],
                          "DNs": ["/DC=org/DC=ska/CN=Jane Doe", "no name"]},
                "sub-2": {"PreferedUsername": "Joe.Bloggs", "Suspended": ["SKA", "belle"], "Quota": 5},
                "sub-3": {"PreferedUsername": "JANE"},
            },
            "Groups": {
                "ska_user": {"Properties": ["NormalUser", "StageAllowed"], "Users": ["sub-1", "sub-2"]},
                "admins": {"Properties": ["ServiceAdministrator", "JobMonitor", "StepAdministrator"],
                           "Users": ["sub-1", "nobody"], "JobShare": 2500, "AutoAddVOMS": False, "VOMSRole": "/ska"},
            },
        },
    },
    "Operations": {
        "Defaults": {"Pilot": {"Version": 9, "Command": {"Test": "hello"}}, "EnableSecurityLogging": True},
        "SKA": {"Pilot": {"Version": "9.1", "Flags": ["a", "b"], "Password": "hunter2!", "a:b": 1, "Deep": [[1]]},
                "JobDescription": {"MaxCPUTime": 1000}, "Matching": {}},
        "elsewhere": {"Pilot": {"Version": 1}},
    },
    "Systems": {"Databases": {"Password": "secret", "Port": 3306}, "Empty": None},
    "Resources": {"Computing": {"OSCompatibility": {"el9": ["el9"]}}},
}  # fmt: skip
LEFT = {
    "Operations/Defaults/EnableSecurityLogging", "Operations/SKA/JobDescription/MaxCPUTime",
    "Operations/SKA/Pilot/Deep", "Operations/SKA/Pilot/Password", "Operations/SKA/Pilot/a:b",
    "Operations/elsewhere/Pilot/Version",
    "Registry/SKA/DefaultGroup", "Registry/SKA/Groups/*/Users/nobody",
    "Registry/SKA/Groups/admins/Properties/JobMonitor", "Registry/SKA/Groups/admins/Properties/StepAdministrator",
    "Registry/SKA/Groups/admins/VOMSRole", "Registry/SKA/Support/Message", "Registry/SKA/Support/Webpage",
    "Registry/SKA/Users/sub-1/DNs/1", "Registry/SKA/Users/sub-2/Quota", "Registry/SKA/Users/sub-2/Suspended/belle",
    "Registry/SKA/Users/sub-3", "Registry/SKA/VOMSName", "Resources/Computing/OSCompatibility/el9",
    "Systems/Databases/Password", "Systems/Databases/Port",
}  # fmt: skip


Run = Callable[..., Result]


@pytest.fixture
def bring(served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`sancho import diracx-config` beside the database, of a tree, a text, or the folder of one's own."""
    monkeypatch.setenv("SANCHO_DATABASE_URL", served.url)
    monkeypatch.setenv("SANCHO_STATE_DIR", str(tmp_path / "state"))

    def run(said: dict[str, Any] | bytes | Path, *options: str) -> Result:
        folder = said if isinstance(said, Path) else tmp_path / "repository"
        if not isinstance(said, Path):
            folder.mkdir(exist_ok=True)
            text = said if isinstance(said, bytes) else yaml.safe_dump(said).encode()
            (folder / "default.yml").write_bytes(text)
        return CliRunner().invoke(
            main.command_line(of_servers=True),
            ["import", "diracx-config", str(folder), *options],
            standalone_mode=False,
        )

    return run


async def told(bring: Run, *arguments: Any) -> dict[str, Any]:
    result = await asyncio.to_thread(bring, *arguments, "--json")
    assert result.exception is None, result.exception
    return json.loads(result.output)


def names(changes: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    return sorted((change["kind"], change["name"]) for change in changes)


async def number_of(served: Served, name: str) -> int:
    async with served.deployment.database.transaction([0]) as conn:
        return (await vos.get(conn, name)).vo


async def test_vos_groups_people_and_providers_come_and_coming_again_changes_nothing(
    served: Served, bring: Run
) -> None:
    dry = await told(bring, SKA, "--dry-run")
    async with served.deployment.database.transaction([0]) as conn:
        assert await vos.find(conn, "ska") is None

    first = await told(bring, SKA)
    again = await told(bring, SKA)

    assert (dry["dry_run"], dry["version"], names(dry["changes"])) == (True, None, names(first["changes"]))
    assert names(first["changes"]) == [
        ("Account", "jane"), ("Account", "joe.bloggs"), ("ClientSettings", "Pilot"), ("Group", "dirac-admins"),
        ("Group", "ska_user"), ("IdentityProvider", "iam.example.org-realms-ska"), ("VO", "ska"),
    ]  # fmt: skip
    assert (again["changes"], again["version"], again["proofs"], first["proofs"]) == ([], None, 0, 3)
    assert {one["path"]: one["name"] for one in first["renamed"]} == {
        "Registry/SKA": "ska", "Registry/SKA/Groups/admins": "dirac-admins", "Registry/SKA/Users/sub-2": "joe.bloggs",
    }  # fmt: skip
    for report in (dry, first, again):
        assert {one["path"] for one in report["without_counterpart"]} == LEFT
        assert "hunter2" not in json.dumps(report)
    ska = await number_of(served, "ska")
    async with served.deployment.database.transaction([ska]) as conn:
        accounts = {account.name: account for account in await identity.list_accounts(conn, ska)}
        groups = {group.name: group for group in await identity.groups(conn, ska)}
        (pilot,) = await vos.documents(conn, [ska], kind="ClientSettings")
    assert (accounts["jane"].groups, accounts["jane"].email) == (("dirac-admins", "ska_user"), "jane@ska.org")
    assert (accounts["joe.bloggs"].groups, accounts["joe.bloggs"].state.word) == (("ska_user",), "suspended")
    assert set(groups["ska_user"].permissions) == {"jobs:create", "rules:create"}
    assert set(groups["dirac-admins"].permissions) == {"configuration:apply", "pilots:read", "topology:manage"}
    assert (groups["dirac-admins"].share, groups["ska_user"].share, groups["admins"].permissions) == (2.5, 1, ("*",))
    assert pilot.spec["options"] == {"Version": "9.1", "Command:Test": "hello", "Flags": "a, b"}


async def test_who_came_by_a_file_is_known_when_their_provider_vouches_for_them(served: Served, bring: Run) -> None:
    await told(bring, SKA)
    ska = await number_of(served, "ska")
    async with served.deployment.database.transaction([0]) as conn:
        vo = await vos.get(conn, "ska")
    async with served.deployment.database.transaction([ska]) as conn:
        (provider,) = await providers.list_providers(conn, ska)
        (name,) = await store.list_identities(conn, ska, kind=Proof.X509)

    person = Person(issuer=ISSUER, subject="sub-1", name="somebody else", email=None, groups=())
    account = await providers.welcome(served.deployment, vo, provider, person)

    assert (account.name, account.groups) == ("jane", ("dirac-admins", "ska_user"))
    assert (name.account, name.subject) == ("jane", "/DC=org/DC=ska/CN=Jane Doe")


async def test_what_a_vo_has_already_stays_and_nobody_becomes_an_administrator_by_a_file(
    served: Served, bring: Run
) -> None:
    await configure(
        served,
        Document(kind="VO", name="belle", spec={"share": 2.0, "email": "boss@belle.org"}),
        Document(kind="Group", name="physics", vo="belle", spec={"permissions": ["dids:create"]}),
        Document(kind="Group", name="bosses", vo="belle", spec={"permissions": ["*"]}),
        Document(kind="Account", name="alice", vo="belle", spec={"groups": ["users"], "attributes": {"country": "AT"}}),
    )
    user = {"Properties": ["NormalUser"], "Users": ["a", "r"]}
    registry = {
        "IdP": {"URL": "http://localhost:32002", "ClientID": "x"}, "DefaultGroup": "users",
        "Support": {"Email": "other@belle.org"}, "Groups": {"physics": user, "users": user, "bosses": user},
        "Users": {"a": {"PreferedUsername": "alice"}, "r": {"PreferedUsername": "root"}},
    }  # fmt: skip

    report = await told(bring, {"Registry": {"belle": registry}})

    left = {one["path"]: one["why"] for one in report["without_counterpart"]}
    assert left["Registry/belle/IdP"] == "an issuer is a plain https URL"
    assert "everything" in left["Registry/belle/Groups/bosses"]
    assert "everything" in left["Registry/belle/Users/r"]
    assert "Registry/belle/Users" in left
    async with served.deployment.database.transaction([1]) as conn:
        accounts = {account.name: account for account in await identity.list_accounts(conn, 1)}
        groups = {group.name: set(group.permissions) for group in await identity.groups(conn, 1)}
        (described,) = [d for d in await vos.documents(conn, [0], kind="VO") if d.name == "belle"] or [None]
    assert described is None  # documents of the VO instance are not a VO's to see
    assert (accounts["alice"].groups, accounts["alice"].attributes) == (("physics", "users"), {"country": "AT"})
    assert accounts["root"].groups == ("admins",)
    assert groups["physics"] == {"dids:create", "jobs:create"}
    assert groups["users"] == {"dids:create", "jobs:create", "rules:create", "uploads:create"}
    async with served.deployment.database.transaction([0]) as conn:
        assert await vos.find_spec(conn, 0, "VO", "belle") == {"share": 2.0, "email": "boss@belle.org"}
    assert (await told(bring, {"Registry": {"belle": registry}}))["changes"] == []


async def test_a_subject_that_proves_somebody_goes_on_to_do_so(served: Served, bring: Run) -> None:
    dn = "/DC=org/CN=Bob"
    root = Principal(vo=1, vo_name="belle", account_id=0, account="root", permissions=frozenset("*"), vos=(1,))
    async with served.deployment.database.transaction([1]) as conn:
        await identities.add_certificate_name(conn, root, "bob", dn)
    users = {"a": {"PreferedUsername": "alice", "DNs": dn}, "c": {"PreferedUsername": "carol", "DNs": ["/CN=Carol"]},
             "d": {"PreferedUsername": "dora", "DNs": ["/CN=Carol"]}}  # fmt: skip

    report = await told(bring, {"Registry": {"belle": {"Groups": {}, "Users": users}}})

    taken = [one["path"] for one in report["without_counterpart"] if "another account" in one["why"]]
    assert "Registry/belle/Users/a" in taken
    assert len(taken) == 2  # of Carol and Dora, one
    assert report["proofs"] == 1
    async with served.deployment.database.transaction([1]) as conn:
        assert [one.account for one in await store.list_identities(conn, 1, subject=dn)] == ["bob"]


async def test_an_issuer_of_two_vos_vouches_for_the_first(bring: Run) -> None:
    idp = {"URL": ISSUER, "ClientID": "x"}
    vo = {"IdP": idp, "DefaultGroup": "u", "Groups": {}, "Users": {"s": {"PreferedUsername": "sam"}}}

    report = await told(bring, {"Registry": {"one": vo, "two": vo}})

    assert [change["vo"] for change in report["changes"] if change["kind"] == "IdentityProvider"] == ["one"]
    left = {one["path"]: one["why"] for one in report["without_counterpart"]}
    assert "vouches for VO one" in left["Registry/two/IdP"]
    assert report["proofs"] == 1


async def test_more_documents_than_go_into_one_apply_come_all_the_same(served: Served, bring: Run) -> None:
    users = {f"s{i}": {"PreferedUsername": f"user{i}"} for i in range(2100)}
    group = {"Properties": ["NormalUser"], "Users": list(users)}
    registry = {"IdP": {"URL": ISSUER, "ClientID": "x"}, "Groups": {"many": group}, "Users": users}

    dry = await told(bring, {"Registry": {"ska": registry}}, "--dry-run")
    report = await told(bring, {"Registry": {"ska": registry}})

    assert len(dry["changes"]) == len(report["changes"]) == 2103
    assert report["proofs"] == 2100
    assert (await told(bring, {"Registry": {"ska": registry}}))["changes"] == []


def made_by_dirac(folder: Path, home: Path) -> Path:
    """A repository that DiracX's own commands have written, and a bare clone of it."""
    author = {f"GIT_{who}_{what}": "x@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}

    def dirac(verb: str, *options: str) -> None:
        command = [BIN / "dirac", "internal", verb, f"git+file://{folder}", *options]
        done = subprocess.run(
            command, env={**os.environ, **author, "HOME": str(home)}, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()

    dirac("generate-cs")
    dirac("add-vo", "--vo", "ska", "--default-group", "ska_user", "--idp-url", ISSUER, "--idp-client-id", "abc")
    dirac("add-group", "--vo", "ska", "--group", "ska_admin", "--properties", "JobAdministrator")
    dirac("add-user", "--vo", "ska", "--sub", "sub-1", "--preferred-username", "jane", "--group", "ska_admin")
    subprocess.run(["git", "clone", "-q", "--bare", folder, home / "bare.git"], check=True)
    return home / "bare.git"


async def test_what_diracx_itself_has_written_comes_from_git_too_and_is_told_to_clients_again(
    served: Served, bring: Run, tmp_path: Path
) -> None:
    if not (BIN / "dirac").exists():
        lack("DiracX's clients are missing: make .venv-compat")
    if shutil.which("git") is None:
        lack("git")
    made = tmp_path / "made"
    bare = await asyncio.to_thread(made_by_dirac, made, tmp_path)

    report = await told(bring, bare)

    assert names(report["changes"]) == [
        ("Account", "jane"), ("Group", "ska_admin"), ("Group", "ska_user"),
        ("IdentityProvider", "iam.example.org-realms-ska"), ("VO", "ska"),
    ]  # fmt: skip
    assert (await told(bring, made))["changes"] == []
    (made / "default.yml").write_text("nonsense: [")
    assert (await told(bring, made, "--revision", "HEAD"))["changes"] == []
    headers = {"authorization": f"Bearer {served.token('ska', 'jane')}"}
    registry = (await served.client.get("/api/config/", headers=headers)).json()["Registry"]
    assert list(registry) == ["ska"]
    assert registry["ska"]["IdP"] == {"URL": ISSUER, "ClientID": "abc"}
    assert registry["ska"]["Users"] == {"jane": {"PreferedUsername": "jane", "Suspended": []}}
    group = {"JobShare": 1000, "Properties": ["JobAdministrator"], "Users": ["jane"]}
    assert registry["ska"]["Groups"]["ska_admin"] == group


def test_people_are_told_what_came_and_what_did_not(bring: Run) -> None:
    result = bring({**SKA, "Systems": {"Database": {f"option{i}": i for i in range(30)}}})
    assert result.exception is None, result.exception
    assert "+ Account jane of ska" in result.output
    assert "Registry/SKA/Groups/admins: is called dirac-admins here" in result.output
    assert "    Systems/Database/…: 30 options" in result.output
    assert "    Registry/SKA/VOMSName" in result.output


@pytest.mark.parametrize(
    ("options", "said"),
    [((), "it is no folder"), (("--revision", "--upload-pack=x"), "it is no folder")],
)
def test_a_folder_that_is_none_is_said(bring: Run, tmp_path: Path, options: tuple[str, ...], said: str) -> None:
    result = bring(tmp_path / "nowhere", *options)
    assert said in str(result.exception)
    (tmp_path / "empty").mkdir()
    assert "no revision" in str(bring(tmp_path / "empty", "--revision", "-x").exception)
    assert "git says" in str(bring(tmp_path / "empty").exception)
