"""The kind of documents that say how much may be locked where."""

from typing import Any

from sancho.rules import service
from sancho.vos.model import Kind

KINDS: tuple[Kind[Any], ...] = (service.QUOTA,)
