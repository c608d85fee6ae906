"""An installation to log in to."""

from pathlib import Path

import pytest

from sancho.kit.db import Connection, Database
from tests.identity.helpers import Installation, OneTransaction, install


@pytest.fixture
def installation(conn: Connection, tmp_path: Path) -> Installation:
    """A deployment with one signing key, inside a transaction that is rolled back."""
    return install(OneTransaction(conn), tmp_path)


@pytest.fixture
def committing(database: Database, tmp_path: Path) -> Installation:
    """A deployment with one signing key on a database of its own."""
    return install(database, tmp_path)
