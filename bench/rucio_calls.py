"""Registers files by the unmodified client of Rucio; run by the Python that has it: FOLDER BATCHES SIZE RSE.

Prints how many seconds it took; the files have names of their own in each run.
"""

import sys
import time
import uuid

from rucio.client import Client  # pyright: ignore[reportMissingImports]  # an environment of its own has it


def main(batches: int, size: int, rse: str) -> None:
    """Register, 500 files a call or what is said."""
    client, run = Client(), uuid.uuid4().hex
    client.ping()
    made = [
        [
            {"scope": "bench", "name": f"rucio/{run}/{b:06d}/{n:08d}.dst", "bytes": 1000 + n, "adler32": f"{n:08x}"}
            for n in range(size)
        ]
        for b in range(batches)
    ]
    began = time.perf_counter()
    for files in made:
        client.add_replicas(rse, files)
    print(time.perf_counter() - began)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
