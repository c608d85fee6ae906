"""Rules, their locks, quotas and usage, transfers."""

from datetime import datetime

from sancho_client.models.base import Answer


class Rule(Answer):
    """A standing request for copies, and how far it is carried out."""

    rule_id: int
    did: str
    account: str
    state: str
    copies: int
    rse_expression: str
    ok: int
    replicating: int
    stuck: int
    created_at: datetime | None = None
    expires_at: datetime | None = None
    activity: str = "default"
    comment: str | None = None
    error: str | None = None


class Lock(Answer):
    """One rule's hold on one replica."""

    did: str
    rse: str
    state: str
    size: int
    error: str | None = None


class Usage(Answer):
    """Bytes that an account locks on an RSE."""

    account: str
    rse: str
    files: int
    size: int


class TransferRequest(Answer):
    """One wish to bring a file to an RSE."""

    request_id: int
    did: str
    rse: str
    state: str
    tries: int = 0
    error: str | None = None
