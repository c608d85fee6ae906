"""Sandboxes in a real S3: it takes what was announced alone, straight from DiracX's client and from a real pilot."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from sancho.jobs import service as jobs
from sancho.kit.db import execute, fetch_rows, fetch_value
from sancho_contract.objects import ObjectSigner
from sancho_contract.testing.objects import ObjectSignerConformance
from tests.compat.diracx_client import dirac_at
from tests.compat.forking import BIN
from tests.compat.test_diracx_sandboxes import call, given_files, run_pilot
from tests.realparts.parts import lack
from tests.realparts.s3 import Bucket, bucket_in

HOUR = timedelta(hours=1)
pytestmark = pytest.mark.xdist_group("s3")


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bucket]:
    """A bucket of a server that all tests of this module share."""
    with bucket_in(tmp_path_factory.mktemp("s3")) as made:
        yield made


class TestS3Signer(ObjectSignerConformance):
    """Our own plugin, with SeaweedFS."""

    @pytest.fixture(autouse=True)
    def _with(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def plugin(self) -> ObjectSigner:
        return self._bucket.signer()


async def test_a_jobs_sandboxes_go_straight_to_the_store_and_are_cleaned_away(
    bucket: Bucket, database_url: str, tmp_path: Path
) -> None:
    if not (BIN / "dirac").exists():
        lack("DiracX's clients are missing: make .venv-compat")
    files = given_files(tmp_path)
    async with dirac_at(database_url, tmp_path, objects=bucket.settings(tmp_path / "objects")) as dirac:
        await dirac.log_in("belle")
        pfn, again = await call(dirac, ["create", *files], ["create", *files])
        assert again == pfn
        jdl = f'Executable = "run.sh"; InputSandbox = "{pfn}"; OutputSandbox = "*.txt"'
        await call(dirac, ["submit_jdl_jobs", [jdl]])
        (tmp_path / "pilot").mkdir()
        await run_pilot(dirac, tmp_path / "pilot", 1)
        both, output = await call(dirac, ["get_job_sandboxes", 1], ["get_job_sandbox", 1, "output"])
        assert both == {"Input": [pfn], "Output": output}
        (tmp_path / "out").mkdir()
        assert await call(dirac, ["download", output[0], str(tmp_path / "out")]) == [None]
        assert (tmp_path / "out" / "made.txt").exists()
        assert not (tmp_path / "objects").exists(), "nothing was kept here"

        objects, database = dirac.deployment.objects, dirac.deployment.database
        async with database.transaction([1]) as conn:
            keys = [
                f"sandboxes/1/{sha256.hex()}.{packing}"
                for sha256, packing in await fetch_rows(conn, "SELECT sha256, format FROM sandbox")
            ]
        for key in keys:
            form = await objects.form(key, lifetime=HOUR, size=1)
            assert form.url.startswith(bucket.endpoint)
            assert (await objects.presign("PUT", key, lifetime=HOUR, size=1)).startswith(bucket.endpoint)
        assert [await objects.size(key) is not None for key in keys] == [True] * 3
        await call(dirac, ["unassign_job_sandboxes", 1])
        async with database.transaction([1]) as conn:
            await execute(conn, "UPDATE sandbox SET looked_at = looked_at - interval '30 days'")
        await jobs.clean_sandboxes(dirac.deployment, 1)
        async with database.transaction([1]) as conn:
            assert await fetch_value(conn, "SELECT count(*) FROM sandbox") == 0
        assert [await objects.size(key) for key in keys] == [None] * 3
