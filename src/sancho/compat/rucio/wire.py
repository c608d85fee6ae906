"""Rucio's words for what goes over its wire."""

from pydantic import BaseModel


class Ping(BaseModel):
    """Which release of Rucio this is compatible with, and that it is us."""

    version: str


class Account(BaseModel):
    """An account; times are `2026-11-22T14:13:55`, here and nowhere else."""

    account: str
    account_type: str
    status: str
    email: str | None
    suspended_at: str | None
    deleted_at: str | None
    created_at: str
    updated_at: str


class Said(BaseModel):
    """What an error answers."""

    ExceptionClass: str
    ExceptionMessage: str
