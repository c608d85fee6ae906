"""What the installed clients of Rucio can be asked for, as JSON; run by the Python that has them.

`methods`: every public method of `rucio.client.Client`. `verbs`: for every verb of the command `rucio` those methods
that its function, or one of the older command that it calls, has in its text: what it may ask.
"""

import inspect
import json
import re
from collections.abc import Iterator
from typing import Any

import click
from rucio.cli.bin_legacy import rucio as older  # pyright: ignore[reportMissingImports]
from rucio.cli.bin_legacy import rucio_admin  # pyright: ignore[reportMissingImports]
from rucio.cli.command import main  # pyright: ignore[reportMissingImports]
from rucio.client import Client  # pyright: ignore[reportMissingImports]

METHODS = sorted(name for name, _ in inspect.getmembers(Client, inspect.isfunction) if not name.startswith("_"))
CLIENTS = ("UploadClient", "DownloadClient")


def verbs(command: click.Command, path: str = "") -> Iterator[tuple[str, click.Command]]:
    """Return what can be said to a command, to its end."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from verbs(below, f"{path} {name}".strip())
    else:
        yield path, command


def used(function: Any) -> set[str]:
    """Return the methods that a function calls, and the classes that do so for it."""
    text = inspect.getsource(function)
    for name in set(re.findall(r"\b(\w+)\(", text)):
        for module in (older, rucio_admin):
            inner = getattr(module, name, None)
            if inspect.isfunction(inner) and inner is not function and inner.__module__ == module.__name__:
                text += inspect.getsource(inner)
    called = set(re.findall(r"(?:\.|\b(?=[A-Z]))(\w+)\(", text))
    return called & {*METHODS, *CLIENTS}


if __name__ == "__main__":
    found = {path: sorted(used(inspect.unwrap(command.callback))) for path, command in verbs(main) if command.callback}
    print(json.dumps({"methods": METHODS, "verbs": found}))
