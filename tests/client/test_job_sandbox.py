"""`sancho job sandbox`: what jobs have left."""

from pathlib import Path

from sancho_client.call import Call
from sancho_client.data import sandbox
from tests.client.conftest import Grid


def test_an_output_sandbox_is_fetched_or_said_to_be_missing(grid: Grid, tmp_path: Path) -> None:
    (tmp_path / "simulate.py").write_text("print('hello')\n")
    (tmp_path / "job.yaml").write_text("name: simulate\ncommand: [python3, simulate.py]\nfiles: [simulate.py]\n")
    job, without = grid.json("job", "submit", str(tmp_path / "job.yaml"), "-n", "2")["job_ids"]
    with grid.client() as client, sandbox.pack(["simulate.py"], tmp_path) as packed:
        sandbox.upload(client, packed)
        pfn = f"SB:SandboxSE|/S3/sandboxes/belle/users/alice/sha256:{packed.sha256}.tar.gz"
        client.send(Call(method="PATCH", path=f"/api/jobs/{job}/sandbox/output", answer=type(None), json=pfn))

    fetched = grid.sancho("job", "sandbox", "get", str(job), "--output", str(tmp_path / "out"))
    missing = grid.sancho("job", "sandbox", "get", str(without), "--output", str(tmp_path / "out"))

    assert (fetched.exit_code, fetched.stdout.split()) == (0, [str(tmp_path / "out" / "simulate.py")])
    assert (tmp_path / "out" / "simulate.py").read_text() == "print('hello')\n"
    assert missing.exit_code == 1
    assert "end of an attempt" in missing.stderr
