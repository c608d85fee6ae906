"""What the database says of a home's own folders and storages, made true when the home or a port is another one.

CEs keep their pilots in folders of the home, storages listen on its ports. Both stand in documents (`sancho apply`);
those that are no longer true are applied again, as a version of the configuration with a comment. What an operator has
changed in them stays, and so does a storage that is no longer on this machine.
"""

import asyncio
import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from sancho.kit.db import Database, all_vos
from sancho.local.database import GridDatabase
from sancho.local.home import ADDRESS, Config, Home
from sancho.local.programs import write_private
from sancho.local.steps import run
from sancho.vos import service as vos
from sancho.vos.model import Document

Words = Mapping[str, str]
"""Beginnings of paths and URLs, and what they are now."""


def settle(home: Home, config: Config, database: GridDatabase, *, was: Path | None = None) -> list[str]:
    """Make CEs and storages those of this home and its ports; return the names of those that were not.

    `was` is the home before. The database runs, no program of the grid does.
    """
    moved = {} if was in {None, home.folder} else {str(was): str(home.folder)}
    changed, words = asyncio.run(_changed(home, config, database.server_url, moved))
    if changed:
        told = {
            "database_url": database.server_url, "documents": [asdict(one) for one in changed],
            "comment": f"where the CEs and storages of {home.folder} are",
        }  # fmt: skip
        run("Applying anew where things are", (sys.executable, "-m", "sancho.local.applying"), json.dumps(told))
    if words and home.topology_file.exists():
        write_private(home.topology_file, _reworded(home.topology_file.read_text(), words))
    return [one.name for one in changed]


async def _changed(home: Home, config: Config, url: str, moved: Words) -> tuple[list[Document], Words]:
    database = Database(url, size=2)
    await database.open()
    try:
        served = await all_vos(database)
        async with database.transaction(served) as conn:
            ces = await vos.documents(conn, served, kind="ComputeElement")
            rses = await vos.documents(conn, served, kind="RSE")
    finally:
        await database.close()
    words = {**moved, **_other_ports(config, rses)}
    wanted = [(one, _as_it_is(one, home, config, words)) for one in (*ces, *rses)]
    return [now for before, now in wanted if now != before], words


def _other_ports(config: Config, rses: Sequence[Document]) -> Words:
    """What storages of this machine are said to be, where they are not, and what they are."""
    found: dict[str, str] = {}
    for one in rses:
        parts = urlsplit(str(one.spec["prefix"]))
        if one.name in config.storages and parts.hostname == ADDRESS:
            origin, ours = f"{parts.scheme}://{parts.netloc}", config.storage_url(one.name)
            found |= {origin: ours} if origin != ours else {}
    return found


def _as_it_is(document: Document, home: Home, config: Config, words: Words) -> Document:
    spec = cast(dict[str, Any], _renamed(document.spec, words))
    ours = document.kind == "RSE" and document.name in config.storages
    if ours and config.tls and str(spec["prefix"]).startswith(config.storage_url(document.name)):
        spec["settings"] = {**spec.get("settings", {}), "ca_file": str(home.ca_file)}
    return replace(document, spec=spec)


def _renamed(value: Any, words: Words) -> Any:
    if isinstance(value, str):
        return _reworded(value, words)
    if isinstance(value, dict):
        return {key: _renamed(one, words) for key, one in cast(dict[str, Any], value).items()}
    if isinstance(value, list):
        return [_renamed(one, words) for one in cast(list[Any], value)]
    return value


def _reworded(text: str, words: Words) -> str:
    if not words:
        return text
    known = "|".join(re.escape(word) for word in words)
    return re.sub(rf"(?<![\w/.-])(?:{known})(?=[/'\"\s]|$)", lambda found: words[found[0]], text)
