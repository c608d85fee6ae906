"""Programs of clients' environments, as forks of an interpreter that has read their packages; see `tests.zygote`."""

import asyncio
import json
import os
import signal
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.stubs import zygote

BIN = Path(__file__).parents[2] / ".venv-compat" / "bin"
LONGEST_LINE = 1 << 26


@dataclass
class Forked:
    """A program that runs, used as `asyncio.subprocess.Process` is; its error output may be where its output is."""

    pid: int
    stdin: asyncio.StreamWriter
    stdout: asyncio.StreamReader
    stderr: asyncio.StreamReader | None
    returncode: int | None = None
    _ended: asyncio.Task[None] | None = field(default=None, repr=False)

    async def wait(self) -> int | None:
        """Wait for its end; its exit code, a signal's number less than 0."""
        assert self._ended is not None
        await asyncio.shield(self._ended)
        return self.returncode

    def kill(self) -> None:
        """End it at once."""
        os.kill(self.pid, signal.SIGKILL)

    async def communicate(self, last: bytes = b"") -> tuple[bytes, bytes]:
        """Give it this and no more input, and wait for its end; what else it said."""
        self.stdin.write(last)
        self.stdin.close()
        said = await self.stdout.read()
        complained = b"" if self.stderr is None else await self.stderr.read()
        await self.wait()
        return said, complained


async def fork(
    modules: tuple[str, ...], name: str | Path, program: str, arguments: Sequence[str], environment: Mapping[str, str],
    *, apart: bool = False,
) -> Forked:  # fmt: skip
    """Run a Python program; what it complains of comes with its output, unless they are to be kept `apart`."""
    path = await asyncio.to_thread(zygote, BIN / "python", modules)
    talk, tell = await asyncio.open_unix_connection(path)
    theirs, stdin, stdout, stderr = await _streams(apart=apart)
    line = json.dumps([dict(environment), str(name), program, list(arguments), environment["HOME"]]) + "\n"
    carrier: socket.socket = tell.get_extra_info("socket")
    with socket.socket(fileno=os.dup(carrier.fileno())) as sending:
        socket.send_fds(sending, [line[:1].encode()], theirs)
    for one in set(theirs):
        os.close(one)
    tell.write(line[1:].encode())
    made = Forked(int(await talk.readline()), stdin, stdout, stderr)

    async def end() -> None:
        made.returncode = int(await talk.readline())
        tell.close()

    made._ended = asyncio.create_task(end())
    return made


async def _streams(
    *, apart: bool
) -> tuple[list[int], asyncio.StreamWriter, asyncio.StreamReader, asyncio.StreamReader | None]:
    """The program's ends of its standard streams, and ours."""
    (read_in, write_in), (read_out, write_out) = os.pipe(), os.pipe()
    stdout, stderr, write_err = await _reader(read_out), None, write_out
    if apart:
        read_err, write_err = os.pipe()
        stderr = await _reader(read_err)
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, os.fdopen(write_in, "wb"))
    return [read_in, write_out, write_err], asyncio.StreamWriter(transport, protocol, None, loop), stdout, stderr


async def _reader(descriptor: int) -> asyncio.StreamReader:
    reader = asyncio.StreamReader(LONGEST_LINE)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(descriptor, "rb")
    )
    return reader
