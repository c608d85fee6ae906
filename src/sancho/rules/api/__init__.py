"""Native routes of rules: those of `changing` come first, because their paths say more."""

from sancho.rules.api import changing, held, previews, rules, usage

ROUTERS = (changing.router, previews.router, held.router, rules.router, usage.router)

__all__ = ["ROUTERS"]
