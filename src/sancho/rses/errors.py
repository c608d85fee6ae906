"""What can go wrong with RSEs and the expressions that name them."""

from sancho.kit.errors import Forbidden, Invalid, NotFound


class RseNotFound(NotFound):
    """RSE {rse} does not exist."""

    code = "rse_not_found"

    def __init__(self, *, rse: str | int, field: str | None = "rse") -> None:
        """Name the RSE that was asked for."""
        super().__init__(rse=rse, field=field)


class RseOfOthers(Forbidden):
    """RSE {rse} belongs to the installation or another VO, which alone reports what is on it."""

    code = "rse_of_others"

    def __init__(self, *, rse: str) -> None:
        """Name the RSE."""
        super().__init__(rse=rse, hint="Ask an administrator of the installation.")


class RseExpressionInvalid(Invalid):
    """This RSE expression is not well-formed at position {position}: {expression} {reason}."""

    code = "rse_expression_invalid"

    def __init__(self, *, expression: str, position: int, reason: str, field: str | None = "rse_expression") -> None:
        """`expression` is the part around the fault, which stands between ▶ and ◀; positions count from 1."""
        super().__init__(
            expression=expression, position=position, reason=reason, field=field,
            hint=r"Write for example: tier=1&(country=UK|country=FR)\SITE-DISK",
        )  # fmt: skip


class RseExpressionEmpty(Invalid):
    """No RSE matches the expression {expression}."""

    code = "rse_expression_empty"

    def __init__(self, *, expression: str, field: str | None = "rse_expression") -> None:
        """Show the expression."""
        super().__init__(expression=expression, field=field, hint="`sancho rse list` shows RSEs and their attributes.")


class PlaceUnfit(Invalid):
    """A file cannot be kept under the name {name}."""

    code = "place_unfit"

    def __init__(self, *, name: str) -> None:
        """Show the name that would lead elsewhere."""
        super().__init__(name=name, field="name")


class PathUnfit(Invalid):
    """A file on {rse} cannot lie at {path}: {reason}."""

    code = "path_unfit"

    def __init__(self, *, path: str, rse: str, reason: str, field: str = "path") -> None:
        """Show the path, or the URL, and say why."""
        super().__init__(path=path[:500], rse=rse, reason=reason, field=field)


class PathNotYours(Invalid):
    """A token for {word} is not given: it has to read, and in the area of {vo}."""

    code = "path_not_yours"
    oauth = "invalid_scope"

    def __init__(self, *, word: str, vo: str) -> None:
        """Name the word of the scope; what writes is given by uploads alone."""
        super().__init__(word=word, vo=vo, field="scope", hint=f"Ask for `storage.read:/{vo}/…`; `data put` uploads.")
