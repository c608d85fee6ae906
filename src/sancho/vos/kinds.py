"""The kinds of documents that VOs themselves are made of."""

from typing import Any

from sancho.vos import service
from sancho.vos.model import Kind

KINDS: tuple[Kind[Any], ...] = (service.KIND,)
