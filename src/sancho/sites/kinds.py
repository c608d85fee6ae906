"""The kinds of documents that make the topology."""

from typing import Any

from sancho.sites import service
from sancho.vos.model import Kind

KINDS: tuple[Kind[Any], ...] = (service.SITE, service.COMPUTE_ELEMENT, service.GRANT)
