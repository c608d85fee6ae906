"""Secrets of VOs, read by name where an operator keeps them; never in the database, in a log or in an error.

A document says the *name* of a secret. It is looked for, in this order,

    in the environment     SANCHO_SECRET_BELLE__IAM=…       (`variable` says how names are spelt there)
    in a folder            FOLDER/belle/iam                  that only its owner may read
    with a command         COMMAND belle iam                 such as a script around `vault kv get`

Whatever reads for a VO is given a `VoSecrets`, which knows no other: no document of a VO can name another's secret.
"""

import asyncio
import os
import re
import signal
import stat
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import cast

from pydantic import SecretStr

from sancho.kit.errors import Unavailable

VARIABLE = "SANCHO_SECRET_"
LARGEST = 64 << 10
"""Bytes of the largest secret."""
KEPT = 60.0
"""Seconds for which what the command said is not asked for again."""
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_NAMED_SO = re.compile(r"(?i).*(secret|password|passphrase|passwd|token|private_?key|credentials?)$")
_LOOKS_SO = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY|\beyJ[\w-]{8,}\.[\w-]+\.|(?i:\bBearer )|://[^/\s:@]*:[^/\s@]+@")
"""A private key, a JWT, a header with a token, a URL with a password in it."""


class SecretUnavailable(Unavailable):
    """The secret {name} of VO {vo} cannot be read: {reason}."""

    code = "secret_unavailable"

    def __init__(self, *, vo: str, name: str, reason: str) -> None:
        """Say what is wrong, and nothing of where or what it is."""
        super().__init__(
            vo=vo, name=name, reason=reason, retry_after=60, hint="Whoever runs this installation can put it in place."
        )


def variable(vo: str, name: str) -> str:
    """Return the environment variable of a secret; no two secrets have the same.

    Capitals, `__` between VO and name, and for `.`, `-` and `_` their code: `vo.cta` and `iam` are
    `SANCHO_SECRET_VO_2ECTA__IAM`.
    """
    spelt = [re.sub(r"[^a-z0-9]", lambda found: f"_{ord(found[0]):02X}", part).upper() for part in (vo, name)]
    return VARIABLE + "__".join(spelt)


@dataclass(frozen=True)
class Secrets:
    """Where this deployment keeps the secrets of its VOs."""

    given: Mapping[str, SecretStr] = field(default_factory=dict[str, SecretStr], repr=False)
    """By the name of their variable."""
    folder: Path | None = None
    command: Sequence[str] = ()
    timeout: timedelta = timedelta(seconds=10)
    """How long the command may run."""
    clock: Callable[[], float] = time.monotonic
    _kept: dict[tuple[str, str], tuple[float, str]] = field(
        default_factory=dict[tuple[str, str], tuple[float, str]], repr=False, init=False
    )
    _locks: defaultdict[tuple[str, str], asyncio.Lock] = field(
        default_factory=lambda: defaultdict(asyncio.Lock), repr=False, init=False
    )

    def of(self, vo: str) -> "VoSecrets":
        """The secrets of one VO, to be handed to what works for it."""
        return VoSecrets(self, vo)

    async def read(self, vo: str, name: str) -> str:
        """Return a VO's secret; raises `SecretUnavailable`. A last line end does not belong to it."""
        if not _NAME.fullmatch(vo) or not _NAME.fullmatch(name):
            raise SecretUnavailable(vo=vo, name=name, reason="this is not the name of a VO, or not that of a secret")
        if (said := self.given.get(variable(vo, name))) is not None:
            return said.get_secret_value()
        if self.folder is not None:
            found = await asyncio.to_thread(_read_file, self.folder / vo / name, vo, name)
            if found is not None:
                return _text(found, vo, name)
        if self.command:
            return await self._asked(vo, name)
        raise SecretUnavailable(vo=vo, name=name, reason="there is none")

    async def _asked(self, vo: str, name: str) -> str:
        """What the command says; asked once at a time for each secret, and again when that is a minute old."""
        async with self._locks[vo, name]:
            at, text = self._kept.get((vo, name), (float("-inf"), ""))
            if self.clock() - at > KEPT:
                text = _text(await self._run(vo, name), vo, name)
                self._kept[vo, name] = (self.clock(), text)
            return text

    async def _run(self, vo: str, name: str) -> bytes:
        """Run the command in a group of its own, so that what it started ends with it."""
        try:
            process = await asyncio.create_subprocess_exec(
                *self.command,
                vo,
                name,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,  # it may say more than it should
                start_new_session=True,
            )
        except OSError as error:
            raise SecretUnavailable(vo=vo, name=name, reason="the command cannot be run") from error
        try:
            async with asyncio.timeout(self.timeout.total_seconds()):
                said = await _read_all(process)
                if len(said) > LARGEST:
                    raise SecretUnavailable(vo=vo, name=name, reason="the command said too much")
                status = await process.wait()
        except TimeoutError as error:
            raise SecretUnavailable(vo=vo, name=name, reason="the command did not end in time") from error
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
        if status != 0:
            raise SecretUnavailable(vo=vo, name=name, reason=f"the command ended with {status}")
        return said


@dataclass(frozen=True)
class VoSecrets:
    """The secrets of one VO; a `SecretReader` of the contract."""

    secrets: Secrets
    vo: str

    async def __call__(self, name: str) -> str:
        """Return a secret by its name; raises `SecretUnavailable`."""
        return await self.secrets.read(self.vo, name)


def find_said(value: object, path: str = "") -> str | None:
    """Where in a document a secret is said that should be named there, as far as that shows; None where there is none.

    It shows when a text looks like a key, a token or a URL with a password, or when a field that is called a secret
    has what can be no secret's name. A password that could be a name does not show.
    """
    if isinstance(value, Mapping):
        items = [(str(key), item) for key, item in cast(Mapping[object, object], value).items()]
    elif isinstance(value, list):
        items = [(str(number), item) for number, item in enumerate(cast(list[object], value))]
    else:
        if not isinstance(value, str):
            return None
        named = _NAMED_SO.fullmatch(path) and not _NAME.fullmatch(value)
        return path if named or _LOOKS_SO.search(value) else None
    found = (find_said(item, f"{path}.{key}" if path else key) for key, item in items)
    return next((place for place in found if place is not None), None)


async def _read_all(process: asyncio.subprocess.Process) -> bytes:
    """What it writes to its output, until that ends or is too much."""
    said = bytearray()
    while process.stdout is not None and len(said) <= LARGEST and (piece := await process.stdout.read(LARGEST)):
        said += piece
    return bytes(said)


def _read_file(path: Path, vo: str, name: str) -> bytes | None:
    """Return what is in a file that only its owner may read; None if there is none."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SecretUnavailable(vo=vo, name=name, reason=f"its file cannot be opened ({error.strerror})") from error
    try:
        facts = os.fstat(file)
        if not stat.S_ISREG(facts.st_mode):
            raise SecretUnavailable(vo=vo, name=name, reason="what has its name in the folder is no file")
        if facts.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise SecretUnavailable(vo=vo, name=name, reason="others than its owner may read its file (chmod 0400)")
        return os.read(file, LARGEST + 1)
    finally:
        os.close(file)


def _text(said: bytes, vo: str, name: str) -> str:
    try:
        text = said.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise SecretUnavailable(vo=vo, name=name, reason="it is not UTF-8") from error
    if not text or len(said) > LARGEST:
        raise SecretUnavailable(vo=vo, name=name, reason="it is empty, or too long")
    return text
