"""The kind of documents that make RSEs."""

from typing import Any

from sancho.rses import service
from sancho.vos.model import Kind

KINDS: tuple[Kind[Any], ...] = (service.RSE,)
