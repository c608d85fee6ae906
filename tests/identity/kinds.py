"""The kinds of documents that identity's tests apply."""

from typing import Any

from sancho.identity.kinds import KINDS as IDENTITY
from sancho.vos.kinds import KINDS as VOS
from sancho.vos.model import Kind

KINDS: tuple[Kind[Any], ...] = (*VOS, *IDENTITY)
