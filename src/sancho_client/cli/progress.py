"""Progress bars, on a terminal and nowhere else."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from sancho_client.cli.output import Output


class Bar:
    """Shows bytes on their way, all files together."""

    def __init__(self, progress: Progress, label: str) -> None:
        self._progress = progress
        self._task = progress.add_task(label, total=None, files="")
        self._files = self._finished = self._size = 0

    def expect(self, files: int, size: int) -> None:
        """See `Watch.expect`."""
        self._files += files
        self._size += size
        self._progress.update(self._task, total=self._size, files=f"{self._finished}/{self._files} files")

    def moved(self, size: int) -> None:
        """See `Watch.moved`."""
        self._progress.advance(self._task, size)

    def finished(self, name: str) -> None:  # noqa: ARG002
        """See `Watch.finished`."""
        self._finished += 1
        self._progress.update(self._task, files=f"{self._finished}/{self._files} files")


@contextmanager
def bytes_bar(output: Output, label: str) -> Iterator[Bar]:
    """A bar for files: bytes of all, rate, files done."""
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[files]}"),
        console=output.err,
        transient=True,
        disable=output.as_json or not output.err.is_terminal,
    ) as progress:
        yield Bar(progress, label)


class Count:
    """Shows how many of some things are done, and a word about the rest."""

    def __init__(self, progress: Progress, label: str) -> None:
        self._progress = progress
        self._task = progress.add_task(label, total=None, detail="")

    def show(self, done: int, total: int, detail: str) -> None:
        """Show where things stand."""
        self._progress.update(self._task, completed=done, total=total, detail=detail)


@contextmanager
def count_bar(output: Output, label: str) -> Iterator[Count]:
    """A bar for a wait: so many of so many, and what the others do."""
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[detail]}"),
        console=output.err,
        transient=True,
        disable=output.as_json or not output.err.is_terminal,
    ) as progress:
        yield Count(progress, label)
