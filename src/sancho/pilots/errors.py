"""What can go wrong with a pilot; each class is one `code` of the native API."""

from sancho.kit.errors import Conflict, NotFound, Unauthorized


class PilotNotFound(NotFound):
    """Pilot {pilot_id} does not exist."""

    code = "pilot_not_found"

    def __init__(self, *, pilot_id: int) -> None:
        """Name the pilot; one on a CE that the VO may not use does not exist either."""
        super().__init__(pilot_id=pilot_id, field="pilot_id")


class PilotUnknown(Unauthorized):
    """This stamp and secret do not belong to a pilot."""

    code = "pilot_unknown"

    def __init__(self) -> None:
        """The same answer whatever is wrong."""
        super().__init__(hint="Submit a new pilot: a secret is replaced at each login, and dies with its pilot.")


class PilotsAtWork(Conflict):
    """{count} jobs run in these pilots."""

    code = "pilots_at_work"

    def __init__(self, *, count: int) -> None:
        """Say how many."""
        super().__init__(count=count, hint="Forget the jobs, too, with `--jobs`; or wait until they have ended.")
