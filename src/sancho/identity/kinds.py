"""The kinds of documents that make groups, accounts and who vouches for them."""

from typing import Any

from sancho.identity import service
from sancho.vos.model import Kind

KINDS: tuple[Kind[Any], ...] = (service.GROUP, service.PROVIDER, service.ACCOUNT)
