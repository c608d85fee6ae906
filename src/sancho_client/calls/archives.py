"""Archives and what lies in them, GUIDs, and samples."""

from collections.abc import Sequence

from sancho_client.call import Call, Lines, body, did_path, segment
from sancho_client.models.archives import Archive, Packings
from sancho_client.models.data import Content, Did


def pack(archives: Sequence[Archive]) -> Call[Packings]:
    """Note that files lie in archives, all or none; those that are not known yet are registered."""
    sent = {"archives": [one.model_dump(exclude_none=True) for one in archives]}
    return Call(method="POST", path="/v1/archives", answer=Packings, json=sent, repeatable=True)


def unpack(archive: str, files: Sequence[str]) -> Call[Packings]:
    """Note that files do not lie in an archive."""
    sent = body(archive=archive, files=list(files))
    return Call(method="POST", path="/v1/archives/remove", answer=Packings, json=sent, repeatable=True)


def members(archive: str) -> Lines[Content]:
    """The files that lie in an archive."""
    return Lines(path=f"/v1/archives/{did_path(archive)}", item=Content)


def archives_of(file: str) -> Lines[Content]:
    """The archives that a file lies in."""
    return Lines(path=f"/v1/archives-of/{did_path(file)}", item=Content)


def of_guid(guid: str) -> Call[Did]:
    """The file with a GUID."""
    return Call(method="GET", path=f"/v1/guids/{segment(guid)}", answer=Did)


def sample(source: str, dataset: str, files: int) -> Call[Did]:
    """Make a dataset of so many of the files below a DID, chosen at random."""
    sent = body(source=source, dataset=dataset, files=files)
    return Call(method="POST", path="/v1/samples", answer=Did, json=sent)
