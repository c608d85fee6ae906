"""How paths are made of names, for those who put files on a storage without asking where."""

from typing import Protocol

from pydantic import BaseModel


class Naming(Protocol):
    """Says where a file of a scope and a name is put by clients that compute it themselves.

    It is asked inside of requests, up to thousands of times in one: it answers from the two words alone, at once,
    without talking to anybody, and always the same. Two files of one path cannot both be put there: the second is
    refused, so let there be none. It may be asked from many threads.
    """

    Settings: type[BaseModel]

    def path(self, scope: str, name: str) -> str:
        """A path below the VO's area: plain words with a slash between them and none at either end, not escaped."""
        ...
