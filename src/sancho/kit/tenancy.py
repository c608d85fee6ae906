"""The one VO that is no community's."""

INSTANCE = 0
"""Id of the reserved VO `instance`, which owns shared resources and whose administrators run the installation."""
