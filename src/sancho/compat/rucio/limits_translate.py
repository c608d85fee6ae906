"""Quotas and usage as Rucio's limits of accounts: pure."""

import math
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, time
from typing import Any

from sancho.compat.rucio.translate import date_of, id_of
from sancho.rses.model import Rse
from sancho.rules.model import Quota, Usage, UsageOn


def read_expression(said: str) -> str:
    """An RSE expression in a path: clients write a blank there as `+`, which no expression has."""
    return said.replace("+", " ")


def rse_alone(expression: str, rses: Sequence[Rse]) -> Rse | None:
    """The RSE that an expression means by its name; None for any other expression."""
    name = expression.strip().removeprefix("rse=")
    return next((rse for rse in rses if rse.name == name), None)


def local(quotas: Sequence[Quota], rses: Sequence[Rse]) -> dict[str, int]:
    """The limits on single RSEs, by name; of several on one the smallest, for that is the one that counts."""
    found: dict[str, int] = {}
    for quota in quotas:
        rse = rse_alone(quota.rse_expression, rses)
        if rse is not None:
            found[rse.name] = min(quota.limit, found.get(rse.name, quota.limit))
    return found


def everywhere(quotas: Sequence[Quota], rses: Sequence[Rse]) -> dict[str, Any]:
    """The limits on sets of RSEs, by expression, with the RSEs that each means."""
    names = {rse.rse_id: rse.name for rse in rses}
    return {
        quota.rse_expression: {
            "resolved_rses": [names[i] for i in quota.rse_ids if i in names],
            "resolved_rse_ids": [id_of(i) for i in quota.rse_ids if i in names], "limit": quota.limit,
        }
        for quota in sorted(quotas, key=lambda quota: -quota.limit)
        if rse_alone(quota.rse_expression, rses) is None
    }  # fmt: skip


def _counts(used: Sequence[Usage], limit: int | None) -> dict[str, Any]:
    size = sum(one.size + one.held for one in used)
    return {
        "bytes": size, "files": sum(one.files for one in used), "bytes_limit": math.inf if limit is None else limit,
        "bytes_remaining": math.inf if limit is None else limit - size,
    }  # fmt: skip


def usage_row(rse: Rse, used: Sequence[Usage], limit: int | None) -> dict[str, Any]:
    """What an account has on an RSE."""
    return {"rse": rse.name, "rse_id": id_of(rse.rse_id), **_counts(used, limit)}


def usage_by_account(rse: Rse, usage: Sequence[Usage], quotas: Sequence[Quota]) -> list[dict[str, Any]]:
    """What each account has on an RSE; those that have nothing there are left out."""
    return [
        {
            "account": one.account,
            **usage_row(rse, [one], local([q for q in quotas if q.account == one.account], [rse]).get(rse.name)),
        }
        for one in usage
    ]  # fmt: skip


def local_usage(usage: Sequence[Usage], quotas: Sequence[Quota], rses: Sequence[Rse]) -> list[dict[str, Any]]:
    """What an account has on each RSE that it uses, or has a limit on."""
    limits = local(quotas, rses)
    used = {one.rse_id: one for one in usage}
    return [
        usage_row(rse, [used[rse.rse_id]] if rse.rse_id in used else [], limits.get(rse.name))
        for rse in rses
        if rse.rse_id in used or rse.name in limits
    ]


def usage_on(used: UsageOn) -> dict[str, Any]:
    """What an account had on an RSE when a day ended."""
    ended = datetime.combine(used.day, time.max, UTC).replace(microsecond=0)
    return {"bytes": used.size, "files": used.files, "updated_at": date_of(ended)}


def global_usage(
    expression: str, usage: Sequence[Usage], rse_ids: Collection[int], limit: int | None
) -> dict[str, Any]:
    """What an account has on a set of RSEs together."""
    return {"rse_expression": expression, **_counts([one for one in usage if one.rse_id in rse_ids], limit)}
