"""The command line of it."""

import argparse
import time
from pathlib import Path

from bench.ground import Ground, open_ground
from bench.million import calls
from bench.million.filling import fill
from bench.million.showing import Show
from sancho.local.postgres import SERVER
from sancho.parts import make_deployment
from sancho.settings import Settings


def main() -> None:
    """Fill, and ask everything."""
    parser = argparse.ArgumentParser(prog="python -m bench.million")
    parser.add_argument("--files", type=int, default=1_000_000)
    parser.add_argument("--only", default="", help="only calls with this in their name")
    names = [part.__name__ for part in calls.PARTS]
    parser.add_argument("--parts", nargs="+", choices=names, default=names, help="what to ask; all of it")
    parser.add_argument("--folder", type=Path, help="where the database is, for as long as it lasts; /var/tmp")
    said = parser.parse_args()
    with open_ground(said.folder) as ground, ground.unlimited() as served:
        began = time.perf_counter()
        places = fill(served, said.files)
        deployment = make_deployment(_settings(served))
        show = Show(served, deployment, said.files, said.only)
        show.console.print(f"filled in {time.perf_counter() - began:.0f} s", highlight=False)
        for part in calls.PARTS:
            if part.__name__ in said.parts:
                part(show, places)
        show.close()


def _settings(ground: Ground) -> Settings:
    return Settings(
        database_url=ground.cluster.url(SERVER), state_dir=ground.state,  # pyright: ignore[reportArgumentType]
        public_url=ground.signer.issuer,
    )  # fmt: skip


if __name__ == "__main__":
    main()
