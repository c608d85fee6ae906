"""What can go wrong with RSEs on Rucio's wire alone."""

from sancho.kit.errors import Conflict, Invalid, NotFound


class RseBlocked(Conflict):
    """RSE {rse} is not available for writing."""

    code = "rucio_rse_blocked"

    def __init__(self, *, rse: str) -> None:
        """Name the RSE."""
        super().__init__(rse=rse, field="rse")


class ProtocolNotThere(NotFound):
    """RSE {rse} is not reached by {scheme}."""

    code = "rucio_protocol_not_there"

    def __init__(self, *, rse: str, scheme: str) -> None:
        """Name the RSE, and the scheme that was asked for."""
        super().__init__(rse=rse, scheme=scheme, field="scheme")


class ProtocolExists(Conflict):
    """RSE {rse} is reached by {url} already."""

    code = "rucio_protocol_exists"

    def __init__(self, *, rse: str, url: str) -> None:
        """Name the RSE and how it is reached."""
        super().__init__(rse=rse, url=url)


class SchemeUnknown(Invalid):
    """There is nothing here that speaks {scheme}."""

    code = "rucio_scheme_unknown"

    def __init__(self, *, scheme: str) -> None:
        """Name the scheme."""
        super().__init__(scheme=scheme, field="scheme", hint="An operator can say a plugin in the document of the RSE.")


class RseExists(Conflict):
    """RSE {rse} exists already."""

    code = "rucio_rse_exists"

    def __init__(self, *, rse: str) -> None:
        """Name the RSE."""
        super().__init__(rse=rse, field="rse")


class QosTaken(Conflict):
    """RSE {rse} is of the QoS {qos}, and can be of one only."""

    code = "rucio_qos_taken"

    def __init__(self, *, rse: str, qos: str) -> None:
        """Name the RSE, and what it is."""
        super().__init__(rse=rse, qos=qos)


class AttributeNotFound(NotFound):
    """RSE {rse} has no attribute {key} that could be removed."""

    code = "rucio_attribute_not_found"

    def __init__(self, *, rse: str, key: str) -> None:
        """Name both."""
        super().__init__(rse=rse, key=key)


class DistanceExists(Conflict):
    """A link leads from {source} to {destination} already."""

    code = "rucio_distance_exists"

    def __init__(self, *, source: str, destination: str) -> None:
        """Name both RSEs."""
        super().__init__(source=source, destination=destination)


class DistanceNotFound(NotFound):
    """No link leads from {source} to {destination}."""

    code = "rucio_distance_not_found"

    def __init__(self, *, source: str, destination: str) -> None:
        """Name both RSEs."""
        super().__init__(source=source, destination=destination)


class RseLimitNotFound(NotFound):
    """RSE {rse} has no limit {name}."""

    code = "rucio_rse_limit_not_found"

    def __init__(self, *, name: str, rse: str) -> None:
        """Name both."""
        super().__init__(name=name, rse=rse)
