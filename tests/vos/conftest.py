"""An installation to configure."""

from tests.identity.conftest import installation

__all__ = ["installation"]
