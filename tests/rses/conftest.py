"""An installation whose storages are looked at."""

from tests.identity.conftest import installation

__all__ = ["installation"]
