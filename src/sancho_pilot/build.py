"""Build the pilot into one file: `python -m sancho_pilot.build TARGET`, or `build_zipapp(target)`.

The same sources give the same bytes, on every machine. This module is not part
of what it builds.
"""

from __future__ import annotations

import os
import sys
import zipfile

FOLDER = os.path.dirname(os.path.abspath(__file__))
PACKAGE = os.path.basename(FOLDER)
EPOCH = (1980, 1, 1, 0, 0, 0)
SHEBANG = b"#!/usr/bin/env python3\n"
ENTRY = f"from {PACKAGE}.__main__ import run\nrun()\n"


def build_zipapp(target: str) -> None:
    """Write the pilot as an executable zipapp; `target` is replaced at once, so that nobody sees half of it."""
    names = sorted(name for name in os.listdir(FOLDER) if name.endswith(".py") and name != os.path.basename(__file__))
    temporary = f"{os.fspath(target)}.{os.getpid()}.new"
    with open(temporary, "wb") as file:
        file.write(SHEBANG)
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            _add(archive, "__main__.py", ENTRY.encode())
            for name in names:
                with open(os.path.join(FOLDER, name), "rb") as source:
                    _add(archive, f"{PACKAGE}/{name}", source.read())
    os.chmod(temporary, 0o755)  # noqa: S103 - a program for everybody
    os.replace(temporary, target)


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    member = zipfile.ZipInfo(name, EPOCH)
    member.external_attr = 0o644 << 16
    member.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(member, data)


if __name__ == "__main__":
    build_zipapp(sys.argv[1])
