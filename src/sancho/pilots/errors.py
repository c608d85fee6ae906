"""What can go wrong with a pilot; each class is one `code` of the native API."""

from sancho.kit.errors import Forbidden, Unauthorized


class PilotUnknown(Unauthorized):
    """This stamp and secret do not belong to a pilot."""

    code = "pilot_unknown"

    def __init__(self) -> None:
        """The same answer whatever is wrong."""
        super().__init__()


class NotAPilot(Forbidden):
    """Only pilots may use this route."""

    code = "not_a_pilot"

    def __init__(self) -> None:
        """People use /v1/jobs."""
        super().__init__(hint="See /docs for the routes of users.")
