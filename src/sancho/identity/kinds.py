"""The kinds of documents that make groups and accounts."""

from typing import Any

from sancho.identity import service
from sancho.vos.model import Kind

KINDS: tuple[Kind[Any], ...] = (service.GROUP, service.ACCOUNT)
