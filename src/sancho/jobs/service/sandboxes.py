"""Sandboxes: announced, uploaded to a presigned URL, readied for pilots, shown, given to jobs, and cleaned away.

They are named by content, and the same content is kept once in a VO. Whoever may see a job may have its sandboxes.
"""

import hashlib
import tempfile
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import IO

from sancho.jobs.errors import JobNotFound, SandboxBroken, SandboxDiffers, SandboxLeaving, SandboxMissing
from sancho.jobs.model import OpenAttempt
from sancho.jobs.model.sandboxes import FORMATS, TAR_GZ, Announced, JobSandboxes
from sancho.jobs.service.ranges import write_members
from sancho.jobs.store import sandboxes as store
from sancho.kit import telemetry
from sancho.kit.access import Principal, require, require_owner
from sancho.kit.db import Connection
from sancho.kit.deployment import Deployment
from sancho.kit.errors import NotFound
from sancho.kit.objects import Form

SANDBOX_LIFETIME = timedelta(hours=1)
"""How long presigned URLs are good."""
LEASE = timedelta(minutes=10)
"""How long who cleans may take to delete a batch."""
BATCH = 1000
CHUNK = 1 << 20
INPUT, OUTPUT = "I", "O"
_log = telemetry.log(__name__)


def sandbox_key(vo: int, sha256: bytes, packing: str = TAR_GZ) -> str:
    """Where a sandbox lies in the object store."""
    return f"sandboxes/{vo}/{sha256.hex()}.{packing}"


async def announce_sandbox(
    deployment: Deployment, caller: Principal, sandbox: Announced, *, as_form: bool = False
) -> tuple[str, Form | None]:
    """Announce a sandbox; its format, and where to PUT it, or the form to send, or None when it is there already.

    Raises `SandboxDiffers` when what is there has another size, and `SandboxLeaving`.
    """
    require(caller, "jobs:create")
    async with deployment.database.transaction(caller.vos) as conn:
        known = await store.find_sandbox(conn, caller.vo, sandbox.sha256)
    packing = sandbox.format if known is None else known.format
    there = await _is_there(deployment, caller.vo, sandbox, packing)
    packing = packing if there else sandbox.format
    async with deployment.database.transaction(caller.vos) as conn:
        await _announce(conn, caller.vo, caller.account_id, sandbox, packing)
    if there:
        return packing, None
    key = sandbox_key(caller.vo, sandbox.sha256, packing)
    if as_form:
        return packing, await deployment.objects.form(key, lifetime=SANDBOX_LIFETIME, size=sandbox.size)
    return packing, Form(await deployment.objects.presign("PUT", key, lifetime=SANDBOX_LIFETIME, size=sandbox.size))


async def announce_output_sandbox(
    deployment: Deployment, conn: Connection, attempt: OpenAttempt, sha256: bytes, size: int
) -> str | None:
    """Announce what an attempt leaves behind, as its job's owner; a URL to PUT it to, or None when it is there.

    Raises `SandboxDiffers` or `SandboxLeaving`.
    """
    sandbox = Announced(sha256=sha256, size=size)
    there = await _is_there(deployment, attempt.vo, sandbox, TAR_GZ)
    await _announce(conn, attempt.vo, attempt.account_id, sandbox, TAR_GZ)
    key = sandbox_key(attempt.vo, sha256)
    return None if there else await deployment.objects.presign("PUT", key, lifetime=SANDBOX_LIFETIME, size=size)


async def _is_there(deployment: Deployment, vo: int, sandbox: Announced, packing: str) -> bool:
    size = await deployment.objects.size(sandbox_key(vo, sandbox.sha256, packing))
    if size not in {None, sandbox.size} and deployment.objects.verifies:
        raise SandboxDiffers(sha256=sandbox.sha256.hex(), size=size or 0, announced=sandbox.size)
    return size == sandbox.size


async def _announce(conn: Connection, vo: int, account_id: int, sandbox: Announced, packing: str) -> None:
    if not await store.announce(conn, vo, account_id, sandbox.sha256, size=sandbox.size, packing=packing):
        raise SandboxLeaving(sha256=sandbox.sha256.hex())


async def check_sandbox(deployment: Deployment, conn: Connection, vo: int, sha256: str) -> None:
    """Raise `SandboxMissing` unless a tar.gz, named by 64 hex digits, was announced and has arrived whole."""
    digest = bytes.fromhex(sha256)
    size = await store.hold(conn, vo, digest, [TAR_GZ])
    if size is None or await deployment.objects.size(sandbox_key(vo, digest)) != size:
        raise SandboxMissing(sha256=sha256)


async def ready_sandbox(deployment: Deployment, caller: Principal, sha256: bytes) -> bytes:
    """The tar.gz that pilots unpack of a sandbox that was uploaded: made once, unless it is one already.

    Raises `SandboxMissing`, and what is wrong with it: `SandboxBroken`, `ArchiveRefused`; or `RepackingBusy`.
    """
    vo = caller.vo
    async with deployment.database.transaction(caller.vos) as conn:
        known = await store.find_sandbox(conn, vo, sha256)
    if known is None or known.leaving:
        raise SandboxMissing(sha256=sha256.hex())
    if known.format == TAR_GZ:
        return sha256
    if known.packed is not None and await deployment.objects.size(sandbox_key(vo, known.packed)) is not None:
        return known.packed
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as made:
        await _fetch(deployment, vo, sha256, known, given)
        # Its name makes one archive of each that is repacked, so that a job's own can be told from what it runs with.
        await deployment.repacker.repack(given, made, f"{sha256.hex()}.tar")
        packed = await _described(made)
        async with deployment.database.transaction(caller.vos) as conn:
            await _announce(conn, vo, caller.account_id, packed, TAR_GZ)
        await deployment.objects.write(sandbox_key(vo, packed.sha256), _chunks(made), packed.size)
    async with deployment.database.transaction(caller.vos) as conn:
        await store.set_packed(conn, vo, sha256, packed.sha256)
    return packed.sha256


async def _fetch(
    deployment: Deployment, vo: int, sha256: bytes, known: store.SandboxRow, into: IO[bytes]
) -> None:  # fmt: skip
    """Bring a sandbox here. One that is not what it is called is deleted, so that it can be sent again."""
    key, seen, digest = sandbox_key(vo, sha256, known.format), 0, hashlib.sha256()
    try:
        async for chunk in deployment.objects.read(key):
            seen += len(chunk)
            if seen > known.size:
                break
            digest.update(chunk)
            into.write(chunk)
    except NotFound as e:
        raise SandboxMissing(sha256=sha256.hex()) from e
    if seen != known.size or digest.digest() != sha256:
        await deployment.objects.delete([key])
        raise SandboxBroken(sha256=sha256.hex(), reason="what was sent is not what was announced")
    into.seek(0)


async def _described(file: IO[bytes]) -> Announced:
    digest, size = hashlib.sha256(), 0
    async for chunk in _chunks(file):
        digest.update(chunk)
        size += len(chunk)
    return Announced(sha256=digest.digest(), size=size)


async def _chunks(file: IO[bytes]) -> AsyncIterator[bytes]:
    file.seek(0)
    while chunk := file.read(CHUNK):
        yield chunk


async def sandbox_url(deployment: Deployment, vo: int, sha256: bytes, packing: str = TAR_GZ) -> str:
    """A presigned URL to GET a sandbox from."""
    return await deployment.objects.presign("GET", sandbox_key(vo, sha256, packing), lifetime=SANDBOX_LIFETIME)


async def find_sandbox_url(deployment: Deployment, caller: Principal, sha256: bytes) -> str:
    """A presigned URL of a sandbox that was uploaded; raises `SandboxMissing`."""
    async with deployment.database.transaction(caller.vos) as conn:
        known = await store.find_sandbox(conn, caller.vo, sha256)
    if known is None or known.leaving:
        raise SandboxMissing(sha256=sha256.hex())
    if await deployment.objects.size(sandbox_key(caller.vo, sha256, known.format)) != known.size:
        raise SandboxMissing(sha256=sha256.hex())
    return await sandbox_url(deployment, caller.vo, sha256, known.format)


async def find_output_url(deployment: Deployment, caller: Principal, job_id: int) -> str | None:
    """A presigned URL of what a job has left, as tar.gz; None: nothing. Raises `JobNotFound`, or as `ready_sandbox`."""
    async with deployment.database.transaction(caller.vos) as conn:
        (job,) = await sandboxes_of(conn, caller.vo, [job_id])
    if job.output is None:
        return None
    return await sandbox_url(deployment, caller.vo, await ready_sandbox(deployment, caller, job.output))


async def sandbox_size(conn: Connection, vo: int, sha256: bytes) -> int | None:
    """Bytes of an announced sandbox."""
    known = await store.find_sandbox(conn, vo, sha256)
    return None if known is None else known.size


async def sandboxes_of(conn: Connection, vo: int, job_ids: Sequence[int]) -> list[JobSandboxes]:
    """The sandboxes of jobs, in the order of their ids; raises `JobNotFound`."""
    found = await store.of_jobs(conn, vo, job_ids)
    if missing := set(job_ids) - {one.job_id for one in found}:
        raise JobNotFound(job_id=min(missing))
    return found


async def check_owned(conn: Connection, caller: Principal, job_ids: Sequence[int]) -> list[JobSandboxes]:
    """The sandboxes of one's own jobs, or of any for who manages jobs. Raises `JobNotFound`, `NotYours`."""
    found = await sandboxes_of(conn, caller.vo, job_ids)
    for account_id, name in sorted({(one.account_id, one.account) for one in found}):
        mine = [one.job_id for one in found if one.account_id == account_id]
        require_owner(
            caller, account_id, "jobs:manage", what=f"Job {mine[0]}", owner=name, on=[f"job:{one}" for one in mine]
        )
    return found


async def take_sandboxes(conn: Connection, caller: Principal, job_ids: Sequence[int]) -> None:
    """Take their sandboxes from jobs; those that have not ended can still be run with what they were submitted with.

    For their owners, and who manages jobs. Raises `JobNotFound`, `NotYours`.
    """
    await check_owned(conn, caller, job_ids)
    await write_members(conn, caller.vo, job_ids)
    await store.give(conn, caller.vo, job_ids, [INPUT, OUTPUT], None)


async def give_output_sandbox(conn: Connection, caller: Principal, job_id: int, sha256: bytes) -> None:
    """Make a sandbox that was announced the output of a job, until an attempt that begins later makes one.

    For its owner, and for who manages jobs or reports for pilots. Raises `JobNotFound`, `NotYours`, `SandboxMissing`.
    """
    if not caller.may("jobs:manage") and caller.may("pilots:report"):
        require(caller, "pilots:report", on=f"job:{job_id}")
        await sandboxes_of(conn, caller.vo, [job_id])
    else:
        await check_owned(conn, caller, [job_id])
    if await store.hold(conn, caller.vo, sha256, FORMATS) is None:
        raise SandboxMissing(sha256=sha256.hex())
    await write_members(conn, caller.vo, [job_id])
    await store.give(conn, caller.vo, [job_id], [OUTPUT], sha256)


async def clean_sandboxes(deployment: Deployment, vo: int) -> int:
    """Delete sandboxes that no job has, and that nobody has announced for as long as they are kept; return how many.

    Safe to run twice, and to be killed: what was begun is ended by a later run. A sandbox that is announced while its
    object is being deleted is refused, so none is deleted that somebody believes to be there.
    """
    gone = 0
    before = deployment.clock.now() - deployment.keep_sandboxes
    while True:
        async with deployment.database.transaction([vo]) as conn:
            old = await store.claim_old(conn, vo, before=before, limit=BATCH)
            leaving = await store.unused(conn, vo, old)
            await store.mark(conn, vo, old, leaving=leaving)
            leaving = leaving + await store.claim_left(conn, vo, lease=LEASE, limit=BATCH)
        if leaving:
            await deployment.objects.delete([sandbox_key(vo, one, packing) for one in leaving for packing in FORMATS])
            async with deployment.database.transaction([vo]) as conn:
                gone += await store.delete(conn, vo, leaving)
        if len(old) < BATCH:
            break
    if gone:
        _log.info("sandboxes cleaned", vo=vo, sandboxes=gone)
    return gone
