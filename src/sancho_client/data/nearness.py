"""Which replica to read."""

from collections.abc import Iterable

from sancho_client.models.data import Source


def nearest_first(sources: Iterable[Source], site: str | None) -> tuple[Source, ...]:
    """The places to read a file from, those of one's own site first; else in the order of the server."""
    return tuple(sorted(sources, key=lambda source: site is None or source.site != site))
