"""The JDL file of a job, and the files that go with it."""

import re
from pathlib import Path

from sancho_client.calls import jdl, jobs
from sancho_client.cli.verbs import Session
from sancho_client.data import sandbox
from sancho_client.errors import BadInput

_INPUT_SANDBOX = re.compile(r'(?:^|[;\[\s])inputsandbox\s*=\s*(\{[^}]*\}|"[^"]*"|[^;\]\s]+)', re.IGNORECASE)
_NAME = re.compile(r'"([^"]*)"|([^\s{},"]+)')
_ELSEWHERE = ("sb:", "lfn:")


def submit(session: Session, path: Path, *, anyway: bool = False) -> list[int]:
    """Submit a JDL file, with the files beside it that its input sandbox names; returns the jobs."""
    text = _load(path)
    files = local_files(text)
    if not files:
        return _send(session, text, None, anyway=anyway)
    # Absolute paths: in DIRAC too, files lie in the job's folder without the folders that they came from.
    with sandbox.pack([str((path.parent / name).absolute()) for name in files], path.parent) as packed:
        sandbox.upload(session.client, packed)
        return _send(session, text, packed.sha256, anyway=anyway)


def _send(session: Session, text: str, sha256: str | None, *, anyway: bool) -> list[int]:
    made = session.client.send(jdl.submit([text], sandbox=sha256, anyway=anyway))
    return [job.job_id for job in made]


def local_files(text: str) -> list[str]:
    """What the input sandbox of a JDL names that is neither uploaded already nor in the catalogue.

    The server reads the JDL: this only looks for names, so that they can be taken along.
    """
    found = _INPUT_SANDBOX.search(text)
    if found is None:
        return []
    names = [part.strip() for quoted, bare in _NAME.findall(found[1]) for part in (quoted or bare).split(",")]
    return list(dict.fromkeys(name for name in names if name and not name.lower().startswith(_ELSEWHERE)))


def submission_of(session: Session, job_ids: list[int]) -> int | None:
    """The submission that these jobs are all of; None when it is none, or has others."""
    submission = session.client.send(jobs.show(job_ids[0])).submission_id
    size = sum(state.count for state in session.client.send(jobs.summary(submission)))
    return submission if size == len(job_ids) else None


def _load(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError as e:
        raise BadInput(f"{path} cannot be read: {e.strerror}.") from e
    except UnicodeDecodeError as e:
        raise BadInput(f"{path} is not UTF-8: {e}") from e
