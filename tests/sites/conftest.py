"""An installation whose topology is looked at."""

from tests.identity.conftest import installation

__all__ = ["installation"]
