"""Files that lie in archives are listed with the replicas of those."""

import json
from typing import Any

from sancho.dids import service as dids
from sancho.dids.model import Member, Packed
from sancho.kit.db import Connection
from sancho.replicas import service
from sancho.replicas.model import ReplicaState, Wanted
from tests.dids.given import person
from tests.replicas.test_catalogue import Notary, some
from tests.world import World


async def given(conn: Connection, world: World) -> list[int]:
    """Two archives on A, a file in both that is nowhere else, and one that is on A too; their ids."""
    root = person(world, "root", "*")
    a, b, own = await service.register(conn, root, "A-DISK", some("a.zip", "b.tar", "own"))
    members = [Member("mc:in", 5), Member("mc:own")]
    await dids.pack(conn, root, [Packed("mc:a.zip", members), Packed("mc:b.tar", members[:1])])
    return [a, b, (await dids.get(conn, world.belle, "mc:in")).did_id, own]


async def test_copies_tell_archives_only_when_they_are_asked_for(conn: Connection, world: World) -> None:
    a, b, inside, own = await given(conn, world)
    here = world.resource["A-DISK"]
    found = await dids.resolve(conn, world.belle, ["mc:in", "mc:own"])

    async def told(**more: Any) -> dict[int, tuple[int, list[int]]]:
        parts = service.copies(conn, world.belle, found, Wanted([here], **more))
        return {
            file.did_id: (len(file.copies), [one.did_id for one in file.archives])
            async for part in parts for file in part
        }  # fmt: skip

    assert await told(archives=True) == {inside: (0, [a, b]), own: (1, [a])}
    assert await told() == {inside: (0, []), own: (1, [])}
    assert await told(bare=False, archives=True) == {inside: (0, [a, b]), own: (1, [a])}
    assert await told(bare=False) == {own: (1, [])}
    assert await told(archives=True, states=[ReplicaState.BAD]) == {inside: (0, []), own: (0, [])}


async def test_lines_tell_where_an_archive_lies_unless_they_are_for_others(conn: Connection, world: World) -> None:
    await given(conn, world)
    found = await dids.resolve(conn, world.belle, ["mc:in", "mc:a.zip"])

    async def told(**more: Any) -> dict[str, Any]:
        parts = service.stream(conn, person(world, "alice"), found, **more)
        read = [json.loads(line) for line in b"".join([part async for part in parts]).splitlines()]
        return {one["did"]: one for one in read}

    lines = await told(archives=True)
    [first, second] = lines["mc:in"]["archives"]
    assert first == {key: lines["mc:a.zip"][key] for key in ("did", "path", "replicas")}
    assert second["did"] == "mc:b.tar"
    assert "archives" not in lines["mc:a.zip"]
    assert "archives" not in (await told())["mc:in"]


async def test_archives_are_read_with_tokens_of_their_own(conn: Connection, world: World) -> None:
    a, b, inside, own = await given(conn, world)
    found = await service.archives(conn, person(world, "alice"), Notary(), [inside, own, a])
    assert {did_id: [one.did_id for one in archives] for did_id, archives in found.items()} == {
        inside: [a, b],
        own: [a],
    }
    [source] = found[own][0].sources
    assert (source.rse, "a.zip" in source.url) == ("A-DISK", True)
    assert await service.archives(conn, person(world, "alice"), Notary(), [a]) == {}
