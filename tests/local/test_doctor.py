"""The doctor, on grids that are well and grids that are not."""

import shutil
from pathlib import Path

from sancho.local.doctor import Check, Result, environments, examine
from sancho.local.home import Home
from sancho.local.status import status


def found(home: Home) -> dict[str, Check]:
    return {one.name: one for one in examine(home)}


def test_a_grid_that_rests_is_well_but_down(resting: Home) -> None:
    checks = found(resting)
    assert {name for name, one in checks.items() if one.result is Result.FAIL} == set()
    assert checks["grid"].result is Result.WARN
    assert checks["grid"].advice == "Run `sancho up`."
    assert "down with the grid" in checks["database"].seen
    assert checks["PostgreSQL programs"].seen.startswith("18.")
    assert checks["port of the API"].seen.endswith("free")
    said = status(resting)
    assert not said.running
    assert said.url == "http://127.0.0.1:18080"


def test_without_a_grid_only_the_software_is_looked_at(folder: Path) -> None:
    checks = found(Home(folder))
    assert checks["python"].result is Result.OK
    assert checks["home"].result is Result.FAIL
    assert "sancho up" in checks["home"].advice


def test_open_and_missing_folders_are_named(resting: Home) -> None:
    resting.keys.chmod(0o755)
    shutil.rmtree(resting.tls)
    home = found(resting)["home"]
    assert home.result is Result.FAIL
    assert "keys" in home.seen
    assert "tls" in home.seen
    assert f"chmod -R go= {resting.keys}" in home.advice


def test_a_foreign_database_that_is_away_is_a_failure_with_its_reason(resting: Home) -> None:
    nowhere = "postgresql://x@%2Fnowhere:5432/x"
    resting.save(resting.config().model_copy(update={"database_url": nowhere, "server_database_url": nowhere}))
    database = found(resting)["database"]
    assert database.result is Result.FAIL
    assert "/nowhere" in database.seen


def test_what_a_ce_offers_must_be_there(tmp_path: Path) -> None:
    here, gone = str(tmp_path), str(tmp_path / "gone")
    fine = environments("ce-a", {"environments": {"demo": {"path": [here]}}})
    assert (fine.result, fine.seen) == (Result.OK, "offers demo")
    assert environments("ce-a", {}).result is Result.OK
    broken = environments("ce-a", {"python": gone, "environments": {"old": {"path": [here, gone]}}})
    assert broken.result is Result.FAIL
    assert f"{gone} of env:old" in broken.seen
    assert f"{gone}, the pilots' interpreter" in broken.seen
