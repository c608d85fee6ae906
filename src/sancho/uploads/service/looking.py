"""Ask a storage whether a file is there as it was announced."""

from datetime import timedelta

from sancho.kit.deployment import Deployment
from sancho.rses import service as rses
from sancho.rses.model import Place, Rse
from sancho.uploads.errors import StorageAway, UploadIncomplete
from sancho.uploads.model import Announced
from sancho_contract.storage import ObjectMissing, StorageRefused, StorageUnavailable

LOOK_TIME = timedelta(minutes=5)
"""How long the token lives with which we look."""


async def look(deployment: Deployment, rse: Rse, place: Place, said: Announced) -> str:
    """Return the checksum of a file that is whole; raises `UploadIncomplete`, or `StorageAway` when nobody can tell.

    No transaction may be open.
    """
    token = rses.token(deployment.signer, rse, subject="uploads", lifetime=LOOK_TIME, read=[place.path])
    try:
        stat = await rses.storage(deployment.extensions, rse).stat(place.url, token)
    except ObjectMissing as e:
        raise UploadIncomplete(did=said.did, rse=rse.name, why="it is not there") from e
    except StorageUnavailable as e:
        raise StorageAway(rse=rse.name, why=str(e)) from e
    except StorageRefused as e:
        raise UploadIncomplete(did=said.did, rse=rse.name, why=f"the storage refuses: {e}") from e
    if stat.size != said.size:
        raise UploadIncomplete(did=said.did, rse=rse.name, why=f"it has {stat.size} bytes, not {said.size}")
    if stat.adler32 is None or (said.adler32 is not None and said.adler32 != stat.adler32):
        why = f"its adler32 is {stat.adler32 or 'not known'}, not {said.adler32}"
        raise UploadIncomplete(did=said.did, rse=rse.name, why=why)
    return stat.adler32
