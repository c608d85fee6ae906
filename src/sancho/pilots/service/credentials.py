"""What pilots and jobs prove themselves with: a chain of one-time secrets, and tokens that die with their holder.

A secret is bound to one pilot, so to its stamp and to its CE: it opens what that CE may serve, nothing else. Each
login replaces it. It is accepted again until the token that came with its successor is used, for the answer may have
been lost; from then on it is *spent*. A spent secret that comes back was in two hands. Which of them is the pilot's
nobody can tell, so the pilot is ended, its tokens with it, and its payloads go to others.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Sequence
from itertools import groupby

from sancho.identity import service as identity
from sancho.jobs import service as jobs
from sancho.jobs.model import Reason
from sancho.kit import audit, telemetry
from sancho.kit.db import Connection, Database, all_vos
from sancho.kit.deployment import Deployment
from sancho.pilots import store
from sancho.pilots.errors import PilotUnknown
from sancho.pilots.model import BEAT_EVERY, TOKEN_LIFETIME, Login, Pilot, PilotState

_log = telemetry.log(__name__)
STOLEN = "its secret came a second time: it is in other hands too"


def digest(secret: str) -> bytes:
    """How a pilot's secret is kept."""
    return hashlib.sha256(secret.encode()).digest()


async def login(deployment: Deployment, stamp: str, secret: str) -> Login:
    """Let a pilot in by its secret; the secret is replaced, and spent once its successor's token was used.

    Until then it is accepted again, so that a lost answer locks nobody out; after that it ends the pilot.
    Raises `PilotUnknown`.
    """
    following = secrets.token_urlsafe(32)
    async with deployment.database.transaction(await all_vos(deployment.database)) as conn:
        pilot, given = await store.lock_by_stamp(conn, stamp), digest(secret)
        if pilot is None or pilot.state in (PilotState.DONE, PilotState.FAILED):
            raise PilotUnknown
        known = _is_among(given, (pilot.secret_hash, pilot.next_hash))
        if known:
            await store.set_secrets(conn, pilot, given, digest(following))
            await store.beat(conn, pilot.vo, pilot.pilot_id)
            _note(pilot, allowed=True, why="A token was issued for the pilot's secret.")
        elif _is_among(given, pilot.spent_hashes):
            await give_up(conn, pilot.vo, [pilot.pilot_id], PilotState.FAILED, STOLEN)
            _log.warning("a pilot was ended", stamp=pilot.stamp, why=STOLEN)
            _note(pilot, allowed=False, why=f"The pilot was ended: {STOLEN}.")
        vos = await store.served_by(conn, pilot.ce_id)
    if not known:
        raise PilotUnknown
    holder = identity.PilotHolder(
        pilot_id=pilot.pilot_id, ce_id=pilot.ce_id, stamp=pilot.stamp, vo=pilot.vo, vos=sorted({pilot.vo, *vos}),
        login=digest(following).hex(),
    )  # fmt: skip
    token = identity.pilot_token(deployment.signer, holder, TOKEN_LIFETIME)
    return Login(
        token=token, expires_in=int(TOKEN_LIFETIME.total_seconds()), next_secret=following,
        beat_every=BEAT_EVERY.total_seconds(),
    )  # fmt: skip


def _is_among(given: bytes, known: Iterable[bytes | None]) -> bool:
    return any(one is not None and hmac.compare_digest(given, one) for one in known)


def _note(pilot: Pilot, *, allowed: bool, why: str) -> None:
    audit.note(
        audit.Entry(
            vo=pilot.vo,
            account=f"pilot:{pilot.stamp}",
            pilot_id=pilot.pilot_id,
            permission="pilots:report",
            allowed=allowed,
            why=why,
            thing=f"pilot:{pilot.stamp}",
        )
    )


class Machines:
    """Says of pilots and jobs whether their tokens are still good; a `kit.access.Machines`."""

    async def is_good(self, database: Database, vo: int, pilot_id: int, login: str) -> bool:
        """Say whether a pilot has not been ended, and whether it knows this login; the answer to that has arrived.

        Of a login that was repeated, because its answer was lost or because somebody else had it, the last one counts.
        """
        pilot = await store.standing(database, vo, pilot_id)
        if pilot is None or pilot.state in (PilotState.DONE, PilotState.FAILED):
            return False
        if pilot.next_hash is not None and pilot.next_hash.hex() == login:
            async with database.transaction([vo]) as conn:
                await store.spend(conn, vo, pilot_id, pilot.next_hash)
            return True
        return any(login == known.hex() for known in (pilot.secret_hash, *pilot.spent_hashes))

    async def owner(self, database: Database, vo: int, job_id: int, attempt_id: int) -> int | None:
        """The account that a job works for; None once this attempt at it has ended, or the account is suspended."""
        async with database.transaction([vo]) as conn:
            return await store.owner_of_open_attempt(conn, vo, job_id, attempt_id)


async def give_up(conn: Connection, vo: int, pilot_ids: Sequence[int], state: PilotState, detail: str) -> int:
    """End pilots, and lose what they have; say how many."""
    for attempt_vo, attempts in groupby(await jobs.open_attempts(conn, pilot_ids), lambda a: a[0]):
        await jobs.lose(conn, attempt_vo, [a[1] for a in attempts], reason=Reason.PILOT_LOST, detail=detail)
    return len(await store.end(conn, vo, pilot_ids, state, detail))
