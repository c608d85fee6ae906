"""The door of identity: accounts and groups, logins and tokens, who is behind a request, and how it all begins."""

from sancho.identity.service.accounts import (
    accounts,
    administrators,
    change_password,
    ensure_service_account,
    find_account,
    get_account,
    groups,
    groups_of,
    list_accounts,
    primary_group,
    roll,
    roll_now,
    set_state,
)
from sancho.identity.service.authentication import (
    Authenticators,
)
from sancho.identity.service.certificates import (
    certificate_person,
)
from sancho.identity.service.configuration import (
    ACCOUNT,
    GROUP,
    bootstrap,
)
from sancho.identity.service.describing import (
    change_attributes,
    document_of,
)
from sancho.identity.service.fitness import (
    Fitness,
    fitness_at,
)
from sancho.identity.service.passwords import (
    make_hash,
)
from sancho.identity.service.proofs import (
    note_wrong_key,
    on_behalf,
)
from sancho.identity.service.providers import (
    PROVIDER,
    all_providers,
    follow,
    trouble_of,
)
from sancho.identity.service.ssh import (
    SshKey,
    parse_public_key,
)
from sancho.identity.service.ssh import (
    verify as verify_ssh,
)
from sancho.identity.service.tokens import (
    PilotHolder,
    end_login_of,
    forget_expired,
    issuer_of,
    job_token,
    login,
    pilot_token,
    read_scope,
    refresh,
    revoke,
)
from sancho.identity.service.tokens import (
    logins as open_logins,
)

__all__ = [
    "ACCOUNT", "GROUP", "PROVIDER", "Authenticators", "Fitness", "PilotHolder", "SshKey", "accounts",
    "administrators", "all_providers", "bootstrap", "certificate_person", "change_attributes", "change_password",
    "document_of", "end_login_of", "ensure_service_account", "find_account", "fitness_at", "follow",
    "forget_expired", "get_account", "groups", "groups_of", "issuer_of", "job_token", "list_accounts", "login",
    "make_hash", "note_wrong_key", "on_behalf", "open_logins", "parse_public_key", "pilot_token", "primary_group",
    "read_scope", "refresh", "revoke", "roll", "roll_now", "set_state", "trouble_of", "verify_ssh",
]  # fmt: skip
