"""Identity providers that speak OpenID Connect: INDIGO IAM, EGI Check-in, CILogon, Keycloak and others.

    browser ◀─ login_url ─┐                    ┌─ code ─▶ token endpoint ─▶ ID token ─▶ checked ─┐
                          issuer's metadata ───┤                                                 ├─▶ Person
    somebody's token ─────────────────────────▶└─ checked with the issuer's keys ── userinfo ────┘

`settings` is what an operator writes, `profiles` how claims become names and groups, as data; `published` keeps the
issuer's metadata and keys, `tokens` judges a token, `scim` reads the list of people, `talk` is all HTTP there is.
"""

from sancho_plugins.oidc.provider import OidcProvider
from sancho_plugins.oidc.settings import OidcSettings

__all__ = ["OidcProvider", "OidcSettings"]
