"""Has a wheel contain the built web page: `make web` builds what is not there or is older than its sources."""

import subprocess
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class WebPage(BuildHookInterface[Any]):
    """Called before a wheel is built."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - the hook is called so
        """Build the page; an editable installation is served what a developer builds."""
        if version == "editable":
            return
        done = subprocess.run(["make", "--silent", "web"], cwd=self.root, check=False)
        if done.returncode:
            raise SystemExit("The web page could not be built; `make web` says why.")
