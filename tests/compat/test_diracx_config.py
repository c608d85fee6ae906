"""The unmodified clients of DiracX read the configuration and the status of resources of two VOs."""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from sancho.compat.diracx import config_translate
from sancho.compat.diracx.answers import Answer, Answers
from sancho.identity import service as identity
from sancho.identity.model import Roll
from sancho.kit.access import Principal
from sancho.parts import KINDS
from sancho.vos import service as vos
from sancho.vos.model import Document
from tests.compat.diracx_client import Dirac
from tests.served import Served

SYNC = """
import json
from azure.core.exceptions import ResourceNotModifiedError
from diracx.client.sync import SyncDiracClient
from diracx.core.config.schema import Config
from diracx.core.models.rss import ComputeElementStatus, SiteStatus, StorageElementStatus

def headers(response, answer, _):
    return answer, response.http_response.headers

def read(model, answer):
    # The generated models know no alternatives, and keep what they are told as further properties.
    return {name: model.model_validate({
        part: getattr(one, part).additional_properties for part in model.model_fields}) for name, one in answer.items()}

with SyncDiracClient() as api:
    said, told = api.config.serve_config(cls=headers)
    model = Config.model_validate(said)
    (vo,) = model.registry
    try:
        api.config.serve_config(headers={"If-None-Match": told["ETag"]})
        again = "told again"
    except ResourceNotModifiedError:
        again = "not modified"
    status, seen = api.rss.get_storage_status(cls=headers)
    storage = read(StorageElementStatus, status)
    compute = read(ComputeElementStatus, api.rss.get_compute_status())
    sites = read(SiteStatus, api.rss.get_site_status())
    try:
        api.rss.get_storage_status(headers={"If-None-Match": seen["ETag"]})
    except ResourceNotModifiedError:
        again += ", not modified"
    print(json.dumps({
        "vo": vo,
        "operations": list(model.operations),
        "alice": model.registry[vo].sub_from_preferred_username("alice"),
        "users": sorted(model.registry[vo].groups["users"].users),
        "properties": sorted(model.registry[vo].groups["users"].properties),
        "share": model.registry[vo].groups["users"].job_share,
        "default": model.registry[vo].default_group,
        "pilot": model.operations[vo].pilot,
        "suspended": sorted(sub for sub, user in model.registry[vo].users.items() if user.suspended),
        "ces": sorted(said["Resources"]["Sites"]["Sancho"]["SITE-A"]["CEs"]),
        "again": again,
        "sites": {name: one.all.allowed for name, one in sites.items()},
        "why": {name: one.all.reason for name, one in sites.items() if not one.all},
        "compute": {name: one.all.allowed for name, one in compute.items()},
        "storage": {name: [bool(part) for part in (one.read, one.write, one.check, one.remove)]
                    for name, one in storage.items()},
        "fts": api.rss.get_fts_status(),
        "etag": seen["ETag"].partition("-")[2],
        "vary": seen["Vary"],
    }))
"""
ASYNC = """
import asyncio, json
from diracx.client.aio import AsyncDiracClient
from diracx.core.config.schema import Config

async def main():
    async with AsyncDiracClient() as api:
        model = Config.model_validate(await api.config.serve_config())
        sites = await api.rss.get_site_status()
        storage = await api.rss.get_storage_status()
        compute = await api.rss.get_compute_status()
        assert await api.rss.get_fts_status() == {}
        print(json.dumps([sorted(model.registry), sorted(sites), sorted(storage), sorted(compute)]))

asyncio.run(main())
"""


def be(dirac: Dirac, vo: str, account: str = "alice") -> None:
    """Let the client be logged in."""
    signer = dirac.deployment.signer
    token = signer.sign({"sub": f"{vo}:{account}", "aud": signer.issuer, "scope": "sancho"}, timedelta(hours=1))
    kept = {"access_token": token, "refresh_token": "none", "expires_on": int(time.time()) + 3000}
    dirac.credentials.write_text(json.dumps(kept))
    dirac.credentials.chmod(0o600)


async def configure(dirac: Dirac | Served, *documents: Document) -> None:
    """What the administrators of the installation apply."""
    root = Principal(
        vo=0, vo_name="instance", account_id=1, account="root", permissions=frozenset("*"), vos=(0, 1, 2)
    )  # fmt: skip
    async with dirac.deployment.database.transaction(root.vos) as conn:
        await vos.apply(conn, root, documents, KINDS)


async def answers(dirac: Dirac, code: str) -> Any:
    status, said = await dirac.run("python", "-c", code)
    assert status == 0, said
    return json.loads(said.splitlines()[-1])


async def test_each_vo_reads_its_own_configuration_and_the_model_of_diracx_takes_it(dirac: Dirac) -> None:
    pilot = {"Command:Test": "hello", "Version": "9.0", "Tries": 3}
    await configure(
        dirac,
        Document(kind="ClientSettings", name="Pilot", vo="belle", spec={"options": pilot}),
        Document(kind="ClientSettings", name="unheard-of", vo="belle", spec={"options": {"a": 1}}),
        Document(kind="Group", name="production", vo="gridpp", spec={"permissions": ["jobs:manage"], "share": 2.5}),
        Document(kind="Account", name="carol", vo="gridpp", spec={"groups": ["production"], "suspended": True}),
        Document(kind="Site", name="SITE-B", spec={"enabled": False}),
    )
    be(dirac, "belle")
    belle = await answers(dirac, SYNC)
    be(dirac, "gridpp")
    gridpp = await answers(dirac, SYNC)

    topology = {
        "ces": ["A-CE"], "again": "not modified, not modified", "sites": {"SITE-A": True, "SITE-B": False},
        "why": {"SITE-B": "The site is switched off."}, "compute": {"A-CE": True, "B-CE": False}, "fts": {},
        "storage": {"A-DISK": [True] * 4, "B-DISK": [False] * 4}, "vary": "Authorization",
    }  # fmt: skip
    members = {
        "alice": "alice", "users": ["alice", "bob"], "properties": ["NormalUser", "StageAllowed"], "share": 1000,
        "default": "users",
    }  # fmt: skip
    assert belle == {
        "vo": "belle", "operations": ["belle"], "etag": "belle", "suspended": [], **topology, **members,
        "pilot": {"Command": {"Test": "hello"}, "Version": "9.0", "Tries": 3},
    }  # fmt: skip
    assert gridpp == {
        "vo": "gridpp", "operations": ["gridpp"], "etag": "gridpp", "suspended": ["carol"], "pilot": None, **topology,
        **members,
    }  # fmt: skip


async def test_the_asynchronous_client_reads_them_too(dirac: Dirac) -> None:
    be(dirac, "gridpp", "bob")
    assert await answers(dirac, ASYNC) == [
        ["gridpp"], ["SITE-A", "SITE-B"], ["A-DISK", "B-DISK"], ["A-CE", "B-CE"],
    ]  # fmt: skip


async def test_the_command_dumps_the_configuration(dirac: Dirac) -> None:
    be(dirac, "belle")

    status, said = await dirac.run("dirac", "config", "dump")

    assert status == 0, said
    dumped = json.loads(said)
    assert dumped["Registry"]["belle"]["Users"]["bob"] == {"PreferedUsername": "bob", "Suspended": []}
    assert dumped["Registry"]["belle"]["IdP"] == {"URL": dirac.url, "ClientID": "myDIRACClientID"}
    assert dumped["Operations"]["belle"]["JobDescription"]["MaxCPUTime"] == 500_000
    assert dumped["Resources"]["Sites"]["Sancho"]["SITE-A"] == {
        "Name": "SITE-A", "SE": ["A-DISK"],
        "CEs": {
            "A-CE": {"CEType": "local", "NumberOfProcessors": 1, "MaxRAM": 2000, "maxCPUTime": 60, "MaxTotalJobs": 4,
                     "Tag": ["env:demo"]},
        },
    }  # fmt: skip
    storage = dumped["Resources"]["StorageElements"]["A-DISK"]
    assert (storage["ReadAccess"], storage["AccessProtocol.1"]["Protocol"]) == ("Active", "file")
    assert "gridpp" not in said
    assert "@" not in said


# ---- over plain HTTP


async def get(served: Served, path: str, vo: str = "belle", **headers: str) -> httpx2.Response:
    said = {name.replace("_", "-"): value for name, value in headers.items()}
    return await served.client.get(path, headers={**said, "authorization": f"Bearer {served.token(vo)}"})


async def test_an_answer_that_is_known_is_not_told_again(served: Served) -> None:
    await configure(served, Document(kind="Group", name="production", vo="belle"))
    first = await get(served, "/api/config/")
    etag, modified = first.headers["etag"], first.headers["last-modified"]
    assert (first.status_code, len(etag), etag.isalnum()) == (200, 40, True)

    known = await get(served, "/api/config/", if_none_match=etag)
    quoted = await get(served, "/api/config/", if_none_match=f'"{etag}"')
    weak = await get(served, "/api/config/", if_none_match=f"{etag}, other")
    same = await get(served, "/api/config/", if_modified_since=modified)
    later = await get(served, "/api/config/", if_modified_since="Fri, 01 Jan 2100 00:00:00 GMT", if_none_match="other")
    nonsense = await get(served, "/api/config/", if_modified_since="the day before yesterday")
    elsewhere = await get(served, "/api/config/", if_modified_since="Fri, 01 Jan 2100 00:00:00 +0200")
    endless = await get(served, "/api/config/", if_modified_since="Fri, 99 Jan 99999999999999 00:00:00 GMT")

    assert [one.status_code for one in (known, later)] == [304] * 2
    assert [one.status_code for one in (quoted, weak, same, nonsense, elsewhere, endless)] == [200] * 6
    assert (known.content, known.headers["etag"], known.headers["last-modified"]) == (b"", etag, modified)


async def test_whatever_changes_for_a_vo_changes_the_name_of_the_answer(served: Served) -> None:
    seen = {(await get(served, "/api/config/")).headers["etag"]}

    async def changes(*documents: Document) -> bool:
        before = len(seen)
        await configure(served, *documents)
        seen.add((await get(served, "/api/config/")).headers["etag"])
        return len(seen) > before

    site = Document(kind="Site", name="LCG.Lyon.fr", vo="gridpp")
    granted = {"resource": {"kind": "Site", "name": "LCG.Lyon.fr"}, "to": ["belle"]}
    assert await changes(Document(kind="Account", name="carol", vo="belle"))
    assert not await changes(Document(kind="Account", name="carol", vo="gridpp"))
    assert await changes(site, Document(kind="Grant", name="lyon", vo="gridpp", spec=granted))
    assert "LCG.Lyon.fr" in (await get(served, "/api/config/")).json()["Resources"]["Sites"]["LCG"]
    assert await changes(Document(kind="Site", name="LCG.Lyon.fr", vo="gridpp", spec={"enabled": False}))
    assert await changes(Document(kind="VO", name="belle", spec={"email": "help@belle.example"}))
    told = (await get(served, "/api/config/")).json()["Registry"]["belle"]
    assert told["Support"]["Email"] == "help@belle.example"
    async with served.deployment.database.transaction([1]) as conn:
        await identity.ensure_service_account(conn, 1, "robot")
    seen.add((robot := await get(served, "/api/config/")).headers["etag"])
    assert "robot" in robot.json()["Registry"]["belle"]["Users"]
    answer = await served.send("POST", "/accounts/carol/suspend", account="root")
    assert answer.status_code == 200, answer.text
    suspended = await get(served, "/api/config/")
    assert suspended.headers["etag"] not in seen
    assert suspended.json()["Registry"]["belle"]["Users"]["carol"]["Suspended"] == ["belle"]
    assert (await get(served, "/api/config/", "gridpp")).headers["etag"] not in {*seen, suspended.headers["etag"]}


async def test_an_answer_is_made_once_for_each_state_and_never_for_who_knows_it(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[str] = []

    def counted(known: config_translate.Known) -> dict[str, Any]:
        built.append(known.vo)
        return made(known)

    made = config_translate.config
    monkeypatch.setattr(config_translate, "config", counted)
    first = {vo: await get(served, "/api/config/", vo) for vo in ("belle", "gridpp")}
    again = {vo: await get(served, "/api/config/", vo) for vo in ("belle", "gridpp")}
    assert built == ["belle", "gridpp"]
    assert [first[vo].content == again[vo].content for vo in first] == [True, True]
    assert [set(again[vo].json()["Registry"]) for vo in again] == [{"belle"}, {"gridpp"}]
    served.app.state.diracx_answers = Answers()  # another process knows nothing, and is asked for nothing
    etag = first["belle"].headers["etag"]
    assert (await get(served, "/api/config/", if_none_match=etag)).status_code == 304
    assert built == ["belle", "gridpp"]
    await configure(served, Document(kind="Account", name="carol", vo="belle"))
    changed = await get(served, "/api/config/", if_none_match=etag)
    assert "carol" in changed.json()["Registry"]["belle"]["Users"]
    assert (await get(served, "/api/config/", "gridpp")).content == first["gridpp"].content
    assert built == ["belle", "gridpp", "belle", "gridpp"]


def test_what_is_kept_is_bounded_and_the_vos_own() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    kept = Answers(most=100)
    old, new = (Roll(version=n, applied_at=now, suspended=(), newest=1) for n in (1, 2))

    def answer(roll: Roll, size: int) -> Answer:
        return Answer(roll, config_translate.edition(now, size), b"x" * size)

    for vo in (1, 2):
        kept.keep(vo, "/a", answer(old, 40))
    assert kept.find(1, "/a", old)
    assert [kept.find(1, "/a", new), kept.find(3, "/a", old), kept.find(1, "/b", old)] == [None] * 3
    kept.keep(1, "/b", answer(old, 40))  # the one of gridpp was not asked for the longest
    assert [bool(kept.find(vo, "/a", old)) for vo in (1, 2)] == [True, False]
    kept.keep(1, "/a", answer(new, 60))
    assert [bool(kept.find(1, path, roll)) for path, roll in (("/a", old), ("/a", new), ("/b", old))] == [
        False, True, True
    ]  # fmt: skip
    kept.keep(1, "/a", answer(new, 101))
    assert kept.find(1, "/a", new) is None
    assert kept.find(1, "/b", old)


async def test_a_path_without_its_slash_leads_to_it(served: Served) -> None:
    answer = await get(served, "/api/config")
    assert (answer.status_code, answer.headers["location"]) == (307, "http://testserver/api/config/")


async def test_who_has_no_token_is_told_nothing(served: Served) -> None:
    for path in ("/api/config/", "/api/rss/site", "/api/rss/compute", "/api/rss/storage", "/api/rss/fts"):
        answer = await served.client.get(path, headers={"if-none-match": "x"})
        assert (answer.status_code, answer.json()) == (401, {"detail": "Authorization header is missing"})


async def test_the_status_of_resources_has_a_name_for_each_vo_and_changes_with_a_switch(served: Served) -> None:
    paths = ("/api/rss/site", "/api/rss/compute", "/api/rss/storage", "/api/rss/fts")
    before = {path: await get(served, path) for path in paths}
    others = {path: await get(served, path, "gridpp") for path in paths}
    await configure(served, Document(kind="Site", name="SITE-A", spec={"enabled": False}))

    for path in paths[:3]:
        name, _, vo = before[path].headers["etag"].partition("-")
        assert (vo, others[path].headers["etag"]) == ("belle", f"{name}-gridpp")
        assert (await get(served, path, if_none_match=before[path].headers["etag"])).json() != before[path].json()
        assert (await get(served, path, "gridpp", if_none_match=f"{name}-belle")).status_code == 200
    assert (await get(served, paths[3], if_none_match=before[paths[3]].headers["etag"])).status_code == 304
    banned = (await get(served, "/api/rss/site")).json()
    assert banned["SITE-A"] == {"all": {"allowed": False, "reason": "The site is switched off."}}
    assert banned["SITE-B"] == {"all": {"allowed": True, "warnings": None}}
