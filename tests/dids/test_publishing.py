"""Publications: who may publish, what becomes public, what stays as it is, and what strangers read."""

from typing import Any

import pytest

from sancho.dids import service
from sancho.dids.errors import (
    AboutUnfit,
    DidNotFound,
    DoiMalformed,
    DoiTaken,
    IsPublic,
    PublicationExists,
    PublicationNotFound,
    PublicationOpen,
    PublicationStateUnfit,
    RecordTaken,
)
from sancho.dids.model import DidKind, Publication, PublicationState, Tally
from sancho.kit.access import Principal
from sancho.kit.db import Connection
from sancho.kit.errors import PermissionMissing, SanchoError
from tests.dids.given import given_collection, given_files, person
from tests.served import Served
from tests.world import World

PUBLIC, SUSPENDED, DRAFT = PublicationState.PUBLIC, PublicationState.SUSPENDED, PublicationState.DRAFT


def editor(world: World, vo: int | None = None) -> Principal:
    return person(world, "root", "dids:publish", vo=vo)


async def given_dataset(conn: Connection, world: World, name: str, *files: str, close: bool = True) -> None:
    did_id = await given_collection(conn, world, name)
    await service.attach(conn, world.belle, did_id, await given_files(conn, world, *files))
    if close:
        await service.close(conn, world.belle, did_id)


async def published(conn: Connection, world: World, did: str, **changes: Any) -> Publication:
    await service.draft(conn, editor(world), did)
    return await service.change_publication(conn, editor(world), did, {"state": PUBLIC, **changes})


async def readable(conn: Connection, vo: int) -> list[str]:
    return [one.did for one in await service.list_publications(conn, vo, readable=True, page=(0, 10))]


async def test_a_draft_is_the_vo_s_and_what_is_public_everybody_s(conn: Connection, world: World) -> None:
    await given_dataset(conn, world, "ds", "a", "b")
    with pytest.raises(PermissionMissing):
        await service.draft(conn, person(world, "alice"), "mc:ds")

    one = await service.draft(conn, editor(world), "mc:ds")
    assert (one.state, one.doi, one.about, await readable(conn, world.belle)) == (DRAFT, None, {}, [])
    with pytest.raises(PublicationNotFound):
        await service.get_publication(conn, world.belle, "mc:ds", readable=True)
    with pytest.raises(PermissionMissing):
        await service.change_publication(conn, person(world, "alice"), "mc:ds", {"state": PUBLIC})

    changes: dict[str, Any] = {"state": PUBLIC, "doi": "10.1234/foo.bar", "record_id": 7, "about": {"title": "t"}}
    one = await service.change_publication(conn, editor(world), "mc:ds", changes)
    assert (one.state, one.doi, one.record_id, one.about) == (PUBLIC, "10.1234/foo.bar", 7, {"title": "t"})
    assert await readable(conn, world.belle) == ["mc:ds"]
    assert await readable(conn, world.gridpp) == []
    assert await service.published_tally(conn, one) == Tally(2, 30)
    first = await service.published_files(conn, one, after=0, limit=1)
    rest = await service.published_files(conn, one, after=first[0].did_id, limit=5)
    assert [file.did for file in (*first, *rest)] == ["mc:a", "mc:b"]


async def test_what_is_public_stays_closed_until_it_is_suspended(conn: Connection, world: World) -> None:
    alice = person(world, "alice")
    await given_dataset(conn, world, "ds", "a", close=False)
    with pytest.raises(PublicationOpen):
        await published(conn, world, "mc:ds")
    await service.set_open(conn, alice, "mc:ds", is_open=False)
    await service.change_publication(conn, editor(world), "mc:ds", {"state": PUBLIC})

    with pytest.raises(IsPublic):
        await service.set_open(conn, alice, "mc:ds", is_open=True)
    with pytest.raises(IsPublic):
        await service.withdraw_publication(conn, editor(world), "mc:ds")
    with pytest.raises(PublicationStateUnfit):
        await service.change_publication(conn, editor(world), "mc:ds", {"state": DRAFT})
    await service.change_publication(conn, editor(world), "mc:ds", {"state": SUSPENDED})
    assert await readable(conn, world.belle) == []
    await service.set_open(conn, alice, "mc:ds", is_open=True)
    with pytest.raises(PermissionMissing):
        await service.withdraw_publication(conn, alice, "mc:ds")
    await service.withdraw_publication(conn, editor(world), "mc:ds")
    assert await service.list_publications(conn, world.belle, page=(0, 10)) == []


async def test_of_a_container_open_datasets_are_left_out(conn: Connection, world: World) -> None:
    box = await given_collection(conn, world, "box", DidKind.CONTAINER)
    await given_dataset(conn, world, "done", "a")
    await given_dataset(conn, world, "growing", "b", close=False)
    inside = await service.resolve(conn, world.belle, ["mc:done", "mc:growing"])
    await service.attach(conn, world.belle, box, [did.did_id for did in inside])
    await service.close(conn, world.belle, box)

    one = await published(conn, world, "mc:box")

    assert [file.did for file in await service.published_files(conn, one, after=0, limit=9)] == ["mc:a"]
    assert (await service.published_tally(conn, one)).files == 1


async def test_a_file_is_published_alone_and_what_is_erased_is_public_no_more(conn: Connection, world: World) -> None:
    await given_files(conn, world, "a")
    one = await published(conn, world, "mc:a")
    assert (one.size, one.adler32, await service.published_tally(conn, one)) == (10, "89abcdef", Tally(1, 10))
    assert len(await service.published_files(conn, one, after=0, limit=9)) == 1
    await conn.execute("UPDATE did SET erased = true WHERE did_id = %s", [one.did_id])
    assert await readable(conn, world.belle) == []
    with pytest.raises(PublicationNotFound):
        await service.get_publication(conn, world.belle, "mc:a", readable=True)


async def test_each_mistake_is_named_and_changes_nothing(conn: Connection, world: World) -> None:
    await given_files(conn, world, "a", "b")
    first = await published(conn, world, "mc:a", doi="10.1234/Foo", record_id=1)
    await service.draft(conn, editor(world), "mc:b")
    wrong: list[tuple[dict[str, Any], type[SanchoError]]] = [
        ({"doi": "foo"}, DoiMalformed), ({"doi": "10.1234/é"}, DoiMalformed), ({"doi": "10.1234/FOO"}, DoiTaken),
        ({"record_id": 1}, RecordTaken), ({"state": SUSPENDED}, PublicationStateUnfit),
        ({"about": {"x": float("nan")}}, AboutUnfit), ({"about": {"x": "a\0"}}, AboutUnfit),
        ({"about": {"\ud800": 1}}, AboutUnfit), ({"about": {"x": "y" * 70_000}}, AboutUnfit),
    ]  # fmt: skip
    for changes, error in wrong:
        with pytest.raises(error):
            await service.change_publication(conn, editor(world), "mc:b", changes)
    with pytest.raises(PublicationExists):
        await service.draft(conn, editor(world), "mc:b")
    with pytest.raises(DidNotFound):
        await service.draft(conn, editor(world), "mc:no")
    with pytest.raises(PublicationNotFound):
        await service.change_publication(conn, editor(world, world.gridpp), "mc:a", {"state": SUSPENDED})

    same = await service.change_publication(conn, editor(world), "mc:a", {"doi": "10.1234/foo", "record_id": None})
    assert (same.doi, same.record_id, same.state) == ("10.1234/foo", None, first.state)
    (parts,) = [some async for some in service.stream_publications(conn, world.belle, [DRAFT])]
    assert [(one.did, one.doi) for one in parts] == [("mc:b", None)]


async def test_strangers_read_what_is_public_page_by_page(served: Served) -> None:
    for did in ("mc:one", "mc:two", "mc:three"):
        await served.send("POST", "/dids", json={"did": did, "kind": "dataset"})
        await served.send("PATCH", f"/dids/{did}", json={"open": False})
        made = await served.send("POST", "/publications", account="root", json={"did": did})
        assert (made.status_code, made.json()["state"]) == (201, "draft")
    for did in ("mc:one", "mc:two"):
        said: dict[str, Any] = {"state": "public", "about": {"title": did}}
        assert (await served.send("PATCH", f"/publications/{did}", account="root", json=said)).status_code == 200

    async def read(path: str, **query: Any) -> tuple[int, dict[str, Any]]:
        answer = await served.client.get(f"/v1/public{path}", params=query)
        return answer.status_code, answer.json()

    _, page = await read("/belle/dids", limit=1)
    _, rest = await read("/belle/dids", limit=1, cursor=page["next"])
    assert [one["did"] for one in (*page["items"], *rest["items"])] == ["mc:one", "mc:two"]
    status, one = await read("/belle/dids/mc:one")
    assert (status, one["about"], one["metadata"], one["files"], one["total_size"]) == (
        200,
        {"title": "mc:one"},
        {},
        0,
        0,
    )
    assert await read("/belle/files/mc:one") == (200, {"items": [], "next": None})
    for path in ("/belle/dids/mc:three", "/gridpp/dids/mc:one", "/belle/files/mc:three", "/nowhere/dids"):
        assert (await read(path))[0] == 404, path
    assert (await read("/belle/dids/nonsense"))[1]["code"] == "did_malformed"
    assert (await read("/belle/dids", cursor=-1))[0] == 422
    assert (await served.send("GET", "/publications", params={"state": "draft"})).json()["items"][0][
        "did"
    ] == "mc:three"
    assert (await served.send("GET", "/publications/mc:one", vo="gridpp")).status_code == 404
    again = await served.send("PATCH", "/dids/mc:one", json={"open": True})
    assert (again.status_code, again.json()["code"]) == (409, "is_public")
    gone = await served.send("DELETE", "/publications/mc:three", account="root")
    assert (gone.status_code, gone.text) == (204, "")
