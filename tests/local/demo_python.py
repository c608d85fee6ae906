"""The interpreter that tests offer to payloads: the one that `make .venv-demo` makes."""

import os
from pathlib import Path

import pytest

DEMO_PYTHON = Path(__file__).parents[2] / ".venv-demo" / "bin" / "python3"
needs_demo_python = pytest.mark.skipif(
    not DEMO_PYTHON.exists() and os.environ.get("CI") != "true",
    reason="needs numpy, uproot and matplotlib: make .venv-demo",
)
