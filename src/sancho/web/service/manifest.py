"""What an extension declares, `extension.json`, and what makes its folder unfit."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, ValidationError, model_validator

from sancho.web.model import Place

MANIFEST = "extension.json"
FILE = r"^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}(/[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}){0,5}$"
"""What the path of a file may be: nothing that has to be escaped in a URL, nothing hidden, nothing that leads up."""
NAME = r"^[a-z0-9][a-z0-9-]{0,39}$"
KINDS = {
    "html": "text/html; charset=utf-8", "js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8",
    "json": "application/json", "svg": "image/svg+xml", "png": "image/png", "webp": "image/webp", "jpg": "image/jpeg",
    "woff2": "font/woff2", "txt": "text/plain; charset=utf-8",
}  # fmt: skip
"""The files that an extension may have, by how their names end."""


class NotFit(Exception):
    """Why a folder is no extension, in a sentence for its author."""


class Manifest(BaseModel, extra="forbid"):
    """What an extension says of itself."""

    host: Literal[1] = 1
    """The version of what the page and it say to each other."""
    title: Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[^\x00-\x1f\x7f]+$")]
    places: Annotated[tuple[Place, ...], Field(min_length=1, max_length=3)]
    entry: Annotated[str, Field(pattern=FILE)] = "index.html"
    asks: Annotated[
        tuple[Annotated[str, Field(pattern=r"^/v1/[a-z0-9_:{}/-]{1,200}$")], ...], Field(max_length=40)
    ] = ()
    height: Annotated[int, Field(ge=50, le=2000)] = 300

    @model_validator(mode="after")
    def _entry_is_a_document(self) -> "Manifest":
        if not self.entry.endswith(".html"):
            raise ValueError("entry: must be an HTML file")
        return self


def read(text: bytes) -> Manifest:
    """A manifest out of its file; raises `NotFit`."""
    try:
        return Manifest.model_validate_json(text)
    except ValidationError as e:
        fault = e.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in fault["loc"]) or MANIFEST
        raise NotFit(f"{where}: {fault['msg']}") from e
