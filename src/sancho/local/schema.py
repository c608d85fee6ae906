"""The picture of the database, `schema.sql`: what an empty database becomes by all migrations.

`python -m sancho.local.schema > schema.sql` draws it anew; a test compares the two, so every change of the database
is seen in review.
"""

import subprocess
import sys

from sancho.kit.migrate import migrate
from sancho.local.postgres import OWNER, Cluster, temporary_cluster

RESTRICT_KEY = "sancho"  # pg_dump would draw a new one each time


def picture(cluster: Cluster, database: str = "sancho") -> str:
    """The definition of our schema in a migrated database, without partitions (they depend on the date)."""
    dumped = subprocess.run(
        [
            cluster.binaries.program("pg_dump"), "--schema-only", "--schema=sancho", "--no-owner", "--no-privileges",
            f"--restrict-key={RESTRICT_KEY}", "--exclude-table=sancho.*_20[0-9][0-9][0-9][0-9][0-9][0-9]",
            cluster.url(OWNER, database),
        ],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    lines = [line for line in dumped.splitlines() if not line.startswith("-- Dumped")]
    return "\n".join(lines).strip() + "\n"


def draw() -> str:
    """The picture of the migrations as they are now."""
    with temporary_cluster() as cluster:
        migrate(cluster.url(OWNER))
        return picture(cluster)


if __name__ == "__main__":
    sys.stdout.write(draw())
