"""How a plugin gets the secrets that its settings name."""

from typing import Protocol


class SecretReader(Protocol):
    """Gives a plugin the secrets of the VO that it works for, and of no other.

    A plugin's settings say the *name* of a secret, never the secret. It is
    read anew each time that it is needed, so that it can be replaced without
    a restart; a plugin keeps it no longer than for one request.
    """

    async def __call__(self, name: str) -> str:
        """Return a secret by its name. What this raises is no business of the plugin's: it passes through."""
        ...
