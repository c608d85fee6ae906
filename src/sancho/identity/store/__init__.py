"""The SQL of identity: accounts and groups, refresh tokens, logins with their providers and proofs."""

from sancho.identity.store.accounts import (
    add_groups,
    credential,
    drop_groups,
    list_accounts,
    list_groups,
    names_like,
    put_accounts,
    put_groups,
    put_memberships,
    put_passwords,
    set_state,
    standing,
)
from sancho.identity.store.logins import (
    add_login,
    all_providers,
    bar,
    disable_providers,
    drop_identity,
    forget_logins,
    list_identities,
    list_providers,
    lock_login,
    note_proof,
    own_issuers,
    put_identity,
    put_provider,
    secret_of,
    set_browser,
    set_login_state,
    set_polled,
    set_sent,
)
from sancho.identity.store.tokens import (
    add_refresh_token,
    forget_expired,
    list_logins,
    lock_owner,
    newest_of_family,
    owner_of_family,
    refresh_token,
    revoke_all,
    revoke_family,
    revoke_until,
    use_refresh_token,
)

__all__ = [
    "add_groups", "add_login", "add_refresh_token", "all_providers", "bar", "credential", "disable_providers",
    "drop_groups", "drop_identity", "forget_expired", "forget_logins", "list_accounts", "list_groups",
    "list_identities", "list_logins", "list_providers", "lock_login", "lock_owner", "names_like", "newest_of_family",
    "note_proof", "own_issuers", "owner_of_family", "put_accounts", "put_groups", "put_identity", "put_memberships",
    "put_passwords", "put_provider", "refresh_token", "revoke_all", "revoke_family", "revoke_until", "secret_of",
    "set_browser", "set_login_state", "set_polled", "set_sent", "set_state", "standing", "use_refresh_token",
]  # fmt: skip
