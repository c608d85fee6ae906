"""RSEs: find them, by name or by expression, say where files lie on them, and make documents about them come true."""

from sancho.rses.model import Rse
from sancho.rses.service.catalogue import (
    by,
    by_id,
    distances,
    distances_from,
    file_at,
    get,
    named_path,
    nearness,
    parse,
    path_below,
    pfn,
    place,
    port_of,
    reached,
    reading_token,
    resolve,
    rses,
    said_path,
    storage,
    token,
)
from sancho.rses.service.configuration import RSE, RseSpec
from sancho.rses.service.reporting import newest_reports, report, reports, reports_by_rse
from sancho.rses.service.signing import SIGNED_FOR_MOST, signed_url, signing, signing_at, signs

__all__ = [
    "RSE", "SIGNED_FOR_MOST", "Rse", "RseSpec", "by", "by_id", "distances", "distances_from", "file_at", "get",
    "named_path", "nearness", "newest_reports", "parse", "path_below", "pfn", "place", "port_of", "reached",
    "reading_token", "report", "reports", "reports_by_rse", "resolve", "rses", "said_path", "signed_url", "signing",
    "signing_at", "signs", "storage", "token",
]  # fmt: skip
