"""The kind of documents that makes policies."""

from typing import Any

from sancho.decisions import service
from sancho.vos.model import Kind

KINDS: tuple[Kind[Any], ...] = (service.POLICY,)
