"""What can go wrong with a pilot; each class is one `code` of the native API."""

from sancho.kit.errors import Conflict, NotFound, TooLarge, Unauthorized


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


class StampTaken(Conflict):
    """There is a pilot with the stamp {stamp} already."""

    code = "stamp_taken"

    def __init__(self, *, stamp: str) -> None:
        """Name it."""
        super().__init__(stamp=stamp[:100], field="pilot_stamp", hint="Make another for each pilot, at random.")


class PilotNotRegistered(NotFound):
    """There is no pilot with the stamp {stamp}."""

    code = "pilot_not_registered"

    def __init__(self, *, stamp: str) -> None:
        """Name it; one of another VO does not exist either."""
        super().__init__(stamp=stamp[:100], field="stamp", hint="Register it first.")


class PilotOfOurs(Conflict):
    """Pilot {stamp} is one of this server's own, and says itself how it fares."""

    code = "pilot_of_ours"

    def __init__(self, *, stamp: str) -> None:
        """Name it."""
        super().__init__(stamp=stamp[:100], field="stamp", hint="Nothing is to be reported of it.")


class TooManyPilotGroups(TooLarge):
    """{what} is over the limit of {limit}."""

    code = "too_many_pilot_groups"

    def __init__(self, *, limit: int) -> None:
        """Say how many there may be."""
        super().__init__(
            what="A summary of so many groups", limit=limit, field="grouping", hint="Count by less, or fewer pilots."
        )
