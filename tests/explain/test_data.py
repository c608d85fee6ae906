"""Why rules are not ok and files cannot be read: what would help is applied, and helps."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from sancho.dids import service as dids
from sancho.dids.errors import DidMalformed, DidNotFound
from sancho.dids.model import NewFile
from sancho.explain import service
from sancho.explain.errors import NotAFile
from sancho.explain.model import Explanation
from sancho.kit.db import Connection, execute, fetch_value
from sancho.replicas import service as replicas
from sancho.replicas.model import ReplicaKey, ReplicaState
from sancho.rules import service as rules
from sancho.rules.errors import RuleNotFound
from sancho.rules.model import LockState, RuleRequest, RuleState
from tests.explain.given import causes, helps, only
from tests.jobs.given import PLAIN, dataset, submitted, user
from tests.world import World


async def rule_on(conn: Connection, world: World, did: str, on: str, copies: int = 1) -> int:
    request = RuleRequest(did=did, rse_expression=on, copies=copies)
    return (await rules.create(conn, user(world), request)).rule_id


async def why_rule(conn: Connection, world: World, rule_id: int) -> Explanation:
    return await service.explain_rule(conn, user(world), rule_id)


async def why_file(conn: Connection, world: World, did: str) -> Explanation:
    return await service.explain_file(conn, user(world), did)


async def quota(conn: Connection, world: World, size: int, rses: Sequence[str] = ("A-DISK", "B-DISK")) -> None:
    """A quota of alice's, with so much room."""
    await execute(
        conn,
        """
        WITH made AS (
            INSERT INTO quota (vo, name, rse_expression, size, account_id)
            VALUES (1, 'small', '*', %(size)s, %(account)s) RETURNING vo, quota_id, size),
        room AS (INSERT INTO quota_slot (vo, slot, quota_id, room) SELECT vo, 0, quota_id, size FROM made)
        INSERT INTO quota_rse (vo, quota_id, rse_id) SELECT vo, quota_id, unnest(%(rses)s::int[]) FROM made
        """,
        {"account": world.account[1, "alice"], "size": size, "rses": [world.resource[rse] for rse in rses]},
    )


async def give(conn: Connection, size: int) -> None:
    """So much more room in the quota."""
    await execute(conn, "UPDATE quota SET size = size + %(size)s", {"size": size})
    await execute(conn, "UPDATE quota_slot SET room = room + %(size)s WHERE slot = 0", {"size": size})


async def attached(conn: Connection, world: World, dataset_id: int, size: int) -> int:
    """One more file in a dataset, whose rules follow it as far as they can."""
    new = NewFile(None, world.scope[1, "mc"], f"more{size}", size, None)
    (file_id,) = await dids.register_files(conn, 1, world.account[1, "alice"], [new])
    await replicas.add(
        conn, 1, [ReplicaKey(file_id, world.resource["A-DISK"])], [size], ReplicaState.AVAILABLE
    )  # fmt: skip
    await dids.attach(conn, 1, dataset_id, [file_id])
    await rules.extend(conn, 1, parent_ids=[dataset_id], file_ids=[file_id])
    return file_id


async def test_a_rule_that_is_ok_says_so(conn: Connection, world: World) -> None:
    await dataset(conn, world, "mc:data", {"A-DISK": [1]})
    said = await why_rule(conn, world, await rule_on(conn, world, "mc:data", "A-DISK"))
    assert (said.state, said.says, said.blockers, said.would) == ("ok", "It is ok: all its copies are there.", (), ())
    assert said.facts["locks"] == "1 ok, 0 replicating, 0 stuck"


async def test_a_rule_that_waits_for_approval_says_who_can_help(conn: Connection, world: World) -> None:
    await dataset(conn, world, "mc:data", {"A-DISK": [1]})
    request = RuleRequest(did="mc:data", rse_expression="B-DISK", ask_approval=True)
    said = await why_rule(conn, world, (await rules.create(conn, user(world), request)).rule_id)
    assert causes(said) == ["approval"]
    assert "sancho rule approve" in (said.blockers[0].hint or "")


@pytest.mark.parametrize("enough", [True, False])
async def test_a_rule_over_quota_says_how_many_bytes_it_lacks_and_these_suffice(
    conn: Connection, world: World, enough: bool
) -> None:
    data = await dataset(conn, world, "mc:data", {"A-DISK": [10]})
    await quota(conn, world, 25)
    rule_id = await rule_on(conn, world, "mc:data", "*", copies=2)
    file_id = await attached(conn, world, data, 100)
    said = await why_rule(conn, world, rule_id)
    assert causes(said)[0] == "quota"
    assert said.blockers[0].things == ("quota small lacks 195 B",)
    assert "Locks for 200 B would be placed if quota small had 195 B more" in helps(said)

    await give(conn, 195 if enough else 194)
    await rules.extend(conn, 1, parent_ids=[data], file_ids=[file_id])
    after = await why_rule(conn, world, rule_id)
    placed = await fetch_value(
        conn, "SELECT count(*) FROM lock WHERE did_id = %(id)s AND vo = 1", {"id": file_id}
    )  # fmt: skip
    assert placed == (2 if enough else 0)
    assert ("quota" in causes(after)) is not enough


async def test_a_rule_without_rses_says_which_would_do(conn: Connection, world: World) -> None:
    data = await dataset(conn, world, "mc:data", {})
    rule_id = await rule_on(conn, world, "mc:data", "*", copies=2)
    await execute(conn, "UPDATE rse SET writable = false WHERE name = 'B-DISK'")
    await execute(conn, "UPDATE rule_detail SET rse_ids = '{}'")
    file_id = await attached(conn, world, data, 100)
    said = await why_rule(conn, world, rule_id)
    assert causes(said) == ["placement"]
    assert "only 1 can take them" in said.says
    assert helps(said) == [
        "Locks for 100 B would be placed if B-DISK could be written",
        "Locks for 100 B would be placed if it asked for one copy",
    ]
    await execute(conn, "UPDATE rse SET writable = true WHERE name = 'B-DISK'")
    could = await why_rule(conn, world, rule_id)
    assert f"sancho rule retry {rule_id}" in (could.blockers[0].hint or "")
    await rules.extend(conn, 1, parent_ids=[data], file_ids=[file_id])
    assert {lock.rse for lock in await rules.list_locks(conn, 1, rule_id)} == {"A-DISK", "B-DISK"}


async def test_a_rule_whose_files_do_not_come_says_from_where_and_to_where_not(conn: Connection, world: World) -> None:
    await dataset(conn, world, "mc:data", {"A-DISK": [10, 20]})
    rule_id = await rule_on(conn, world, "mc:data", "B-DISK")
    said = await why_rule(conn, world, rule_id)
    assert causes(said) == ["transfer"]
    assert said.blockers[0].says == "2 files of 30 B to B-DISK wait for a transfer."
    assert said.facts["bytes to come"] == "30 B"
    assert said.would == ()

    await execute(conn, "UPDATE rse SET readable = false WHERE name = 'A-DISK'")
    said = await why_rule(conn, world, rule_id)
    assert causes(said) == ["source", "transfer"]
    assert said.blockers[0].things == ("A-DISK has it and cannot be read now",)
    assert helps(said) == ["Files would come at B-DISK if what A-DISK has of them could be read"]

    await execute(conn, "UPDATE rse SET writable = false WHERE name = 'B-DISK'")
    await execute(conn, "UPDATE rse SET readable = true")
    said = await why_rule(conn, world, rule_id)
    assert causes(said) == ["destination", "transfer"]
    assert helps(said) == ["Files would come at B-DISK if B-DISK could be written"]

    await execute(conn, "UPDATE rse SET writable = true")
    await execute(conn, "DELETE FROM distance")
    said = await why_rule(conn, world, rule_id)
    assert only(said, "source").things == ("A-DISK has it, but no link to B-DISK",)


async def test_stuck_locks_come_first_with_what_they_ran_into(conn: Connection, world: World) -> None:
    await dataset(conn, world, "mc:data", {"A-DISK": [10]})
    rule_id = await rule_on(conn, world, "mc:data", "B-DISK")
    await execute(conn, "UPDATE transfer_request SET state = 'S', tries = 8, error = 'no route to host'")
    await execute(conn, "UPDATE rule SET stuck = replicating, replicating = 0")
    said = await why_rule(conn, world, rule_id)
    assert said.state == RuleState.STUCK.word
    assert only(said, "transfer").things == ("no route to host",)
    assert only(said, "transfer").says == "mc:data_A-DISK_0 to B-DISK is stuck after 8 tries."
    assert [lock.state for lock in await rules.list_locks(conn, 1, rule_id)] == [LockState.STUCK]


async def test_a_file_says_where_it_is_what_holds_it_and_who_wants_it(conn: Connection, world: World) -> None:
    await dids.close(conn, 1, await dataset(conn, world, "mc:data", {"A-DISK": [10]}))
    rule_id = await rule_on(conn, world, "mc:data", "B-DISK")
    job_id = (await submitted(conn, world, replace(PLAIN, inputs=("mc:data",)))).job_ids[0]
    said = await why_file(conn, world, "mc:data_A-DISK_0")
    assert (said.state, said.says) == ("available", "It can be read at A-DISK.")
    assert said.facts["replicas"] == ("A-DISK: available", "B-DISK: copying")
    assert said.facts["held by"] == (f"rule {rule_id} of alice on mc:data (replicating)",)
    assert (said.facts["waiting jobs that read it"], said.facts["such as jobs"]) == (1, (str(job_id),))
    assert causes(said) == ["transfer"]


async def test_a_file_that_cannot_be_read_says_what_would_let_it(conn: Connection, world: World) -> None:
    await dataset(conn, world, "mc:data", {"A-DISK": [10]})
    await execute(conn, "UPDATE rse SET readable = false WHERE name = 'A-DISK'")
    said = await why_file(conn, world, "mc:data_A-DISK_0")
    assert (said.state, said.says) == ("unavailable", "It can be read nowhere now.")
    assert said.blockers[0].things == ("A-DISK: available, but the RSE cannot be read now",)
    assert helps(said) == ["It could be read if A-DISK could be read"]

    await execute(conn, "UPDATE rse SET readable = true")
    await execute(conn, "UPDATE replica SET state = 'T'")
    said = await why_file(conn, world, "mc:data_A-DISK_0")
    assert helps(said) == ["It could be read if its replica at A-DISK were available again"]
    await execute(conn, "UPDATE replica SET state = 'A'")
    assert (await why_file(conn, world, "mc:data_A-DISK_0")).blockers == ()

    await execute(conn, "DELETE FROM replica")
    said = await why_file(conn, world, "mc:data_A-DISK_0")
    assert (said.state, said.says) == ("nowhere", "No RSE has it.")
    assert "upload it again" in (said.blockers[0].hint or "")


async def test_what_is_no_file_or_not_there_is_refused(conn: Connection, world: World) -> None:
    await dataset(conn, world, "mc:data", {})
    with pytest.raises(NotAFile, match="dataset"):
        await why_file(conn, world, "mc:data")
    with pytest.raises(DidNotFound):
        await why_file(conn, world, "mc:nothing")
    with pytest.raises(DidMalformed):
        await why_file(conn, world, "nonsense")
    with pytest.raises(RuleNotFound):
        await why_rule(conn, world, 10**9)
