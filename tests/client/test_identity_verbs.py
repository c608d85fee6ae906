"""Keys and names that prove accounts, from the command line."""

from pathlib import Path

from tests.client.conftest import Grid
from tests.realparts.parts import need, run


def test_what_proves_an_account_is_added_listed_and_removed(grid: Grid, tmp_path: Path) -> None:
    for name, secret in (("key", ""), ("other", "x" * 10)):
        run(need("openssh-client", "ssh-keygen"), "-q", "-t", "ed25519", "-N", secret, "-f", tmp_path / name)
    added = grid.json("identity", "add", "--ssh-key", str(tmp_path / "key.pub"))
    assert added["subject"] in grid.sancho("identity", "list").stdout
    named = grid.sancho("identity", "add", "--x509", "/DC=org/CN=Alice", "--account", "alice", account="root")
    assert named.exit_code == 0, named.stderr
    assert [one["kind"] for one in grid.json("identity", "list") if one["kind"] != "password"] == ["ssh_key", "x509"]
    for words, exit_code, said in (
        (["add", "--x509", "/CN=x"], 4, "lacks the permission accounts:manage"),
        (["add", "--ssh-key", str(tmp_path / "key")], 1, "is a private key"),
        (["add", "--ssh-key", str(tmp_path / "none")], 1, "cannot be read"),
        (["add"], 1, "either --ssh-key or --x509"),
        (["remove", "SHA256:none"], 1, "is not proven by"),
    ):
        ended = grid.sancho("identity", *words)
        assert (ended.exit_code, said in " ".join(ended.stderr.split())) == (exit_code, True), ended.stderr

    for subject in (added["subject"], "/DC=org/CN=Alice"):
        assert grid.sancho("identity", "remove", subject).exit_code == 0

    assert {one["kind"] for one in grid.json("identity", "list")} <= {"password"}
