"""Names of data as people write them: a DID, `mc:run1/a.root`, or a path, `/belle/mc/run1/a.root`."""

from dataclasses import dataclass
from urllib.parse import quote

from sancho_client.errors import BadInput


@dataclass(frozen=True, slots=True)
class Path:
    """A path taken apart, `/VO/SCOPE/NAME`; what it does not go down to is empty."""

    vo: str
    scope: str
    name: str
    is_directory: bool
    """It ends with `/`: a directory is meant, and no DID."""

    @property
    def did(self) -> str:
        """The DID at this path; raises `BadInput` for a path that cannot be one's."""
        if not self.name or self.is_directory:
            raise BadInput(f"{self} is a directory, not a DID.", hint=f"`sancho data ls {self}` lists it.")
        return f"{self.scope}:{self.name}"

    def __str__(self) -> str:
        parts = "/".join(part for part in (self.vo, self.scope, self.name) if part)
        return f"/{parts}/" if parts and self.is_directory else f"/{parts}"


def is_path(text: str) -> bool:
    """Say whether this is written as a path; else it is a DID."""
    return text.startswith("/")


def parse_path(text: str) -> Path:
    """Take a path apart; raises `BadInput`."""
    parts = text.removeprefix("/").removesuffix("/").split("/")
    if not is_path(text) or (text != "/" and not all(parts)) or {".", ".."} & set(parts):
        raise BadInput(f"{text!r} is not a path.", hint="A path is /VO/SCOPE/NAME, without '..' and '//'.")
    vo, scope, name = (*text.removeprefix("/").removesuffix("/").split("/", 2), "", "")[:3]
    return Path(vo, scope, name, text.endswith("/"))


def quoted(path: Path) -> str:
    """A path as the rest of a URL's."""
    return quote(str(path), safe="/:")
