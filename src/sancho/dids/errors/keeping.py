"""What can go wrong with lifetime exceptions."""

from datetime import datetime

from sancho.kit.errors import Conflict, Invalid, NotFound


class LifetimeExceptionNotFound(NotFound):
    """Lifetime exception {exception_id} does not exist."""

    code = "lifetime_exception_not_found"

    def __init__(self, *, exception_id: int | str) -> None:
        """Name the exception."""
        super().__init__(exception_id=exception_id)


class LifetimeExceptionDecided(Conflict):
    """Lifetime exception {exception_id} is {state} already."""

    code = "lifetime_exception_decided"

    def __init__(self, *, exception_id: int, state: str) -> None:
        """Name the exception and what was decided."""
        super().__init__(exception_id=exception_id, state=state, hint="Ask for another one.")


class UntilPast(Invalid):
    """Nothing can be kept until {until}: that is over."""

    code = "until_past"

    def __init__(self, *, until: datetime) -> None:
        """Name the time."""
        super().__init__(until=until.isoformat(), field="until")
