"""`Client.add_replicas` of the unmodified `rucio-clients`: files registered in a second by one client.

Raw: `register_files`' own rows by plain SQL. Needs the environment that `make .venv-compat` makes.
"""

import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.driver import Round
from bench.figures import Figure, compare
from bench.ground import Ground
from bench.workloads import register_files

PYTHON = Path(__file__).parents[2] / ".venv-compat" / "bin" / "python"
CALLS = Path(__file__).parents[1] / "rucio_calls.py"
BATCHES, SIZE, RSE = 20, 500, "LCG.CERN.cern-DISK"


def measure(ground: Ground, rows: int, rounds: int) -> tuple[Figure, ...]:
    """Files registered in a second by one client, 500 a call."""
    raw = register_files.plain(ground)
    with TemporaryDirectory() as folder:
        environment = configure(ground, Path(folder))

        def api() -> Round:
            done = subprocess.run(
                [PYTHON, CALLS, str(BATCHES), str(SIZE), RSE],
                env=environment,
                check=True,
                capture_output=True,
                text=True,
            )
            seconds = float(done.stdout.split()[-1])
            return Round(BATCHES * SIZE, seconds, [seconds * 1000 / BATCHES])

        return compare("rucio_client", rows, api, raw, rounds=rounds)[:1]


def configure(ground: Ground, folder: Path) -> dict[str, str]:
    """The environment of who has a token and a rucio.cfg, as `sancho env` makes them."""
    (folder / "etc").mkdir()
    token = folder / "token"
    token.touch(mode=0o600)
    token.write_text(ground.token())
    host = f"http://127.0.0.1:{ground.port}/rucio"
    said = {
        "rucio_host": host, "auth_host": host, "vo": "lhcb", "account": "prod", "auth_type": "oidc",
        "auth_token_file_path": str(token),
    }  # fmt: skip
    lines = ["[client]", *(f"{key} = {value}" for key, value in said.items()), ""]
    (folder / "etc" / "rucio.cfg").write_text("\n".join(lines))
    return {"RUCIO_HOME": str(folder), "HOME": str(folder), "TMPDIR": str(folder)}
