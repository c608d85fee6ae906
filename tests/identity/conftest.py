"""An installation to log in to."""

from pathlib import Path

import pytest

from sancho.kit.db import Database
from tests.identity.helpers import Installation, install


@pytest.fixture
def installation(database: Database, tmp_path: Path) -> Installation:
    """A deployment with one signing key on a database of its own."""
    return install(database, tmp_path)
