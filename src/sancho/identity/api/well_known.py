"""What the world may know of our issuer: the one discovery document, and the keys that check our tokens."""

from typing import Any

from fastapi import APIRouter, Response

from sancho.identity import service
from sancho.identity.model import PERMISSIONS
from sancho.kit.issuer import ALGORITHM
from sancho.kit.web import Deployed

router = APIRouter(tags=["identity"])

GRANTS = [
    "authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code", "client_credentials",
    "urn:ietf:params:oauth:grant-type:token-exchange", "password",
]  # fmt: skip


@router.get("/.well-known/openid-configuration")
async def discovery(deployment: Deployed) -> dict[str, Any]:
    """Where tokens come from and how to check them (OpenID Connect Discovery 1.0, RFC 8414)."""
    issuer, auth = service.issuer_of(deployment).issuer, f"{deployment.public_url}/v1/auth"
    return {
        "issuer": issuer,
        "jwks_uri": f"{deployment.public_url}/.well-known/jwks.json",
        "authorization_endpoint": f"{auth}/authorize",
        "token_endpoint": f"{auth}/token",
        "device_authorization_endpoint": f"{auth}/device_authorization",
        "userinfo_endpoint": f"{auth}/userinfo",
        "revocation_endpoint": f"{auth}/revoke",
        "introspection_endpoint": f"{auth}/introspect",
        "grant_types_supported": GRANTS,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "code_challenge_methods_supported": ["S256"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [ALGORITHM],
        "token_endpoint_auth_signing_alg_values_supported": [ALGORITHM],
        "token_endpoint_auth_methods_supported": [
            "none", "client_secret_basic", "client_secret_post",
            *(["tls_client_auth"] if deployment.certificates is not None else []),
        ],
        "authorization_response_iss_parameter_supported": True,
        "scopes_supported": [
            "sancho", "primary-group", "openid", "profile", "email", "offline_access", *sorted(PERMISSIONS),
        ],
        "claims_supported": [
            "iss", "sub", "aud", "exp", "iat", "nbf", "jti", "client_id", "scope", "sid", "vo", "groups",
            "preferred_username", "wlcg.ver", "wlcg.groups",
        ],
    }  # fmt: skip


@router.get("/.well-known/oauth-authorization-server")
async def metadata(deployment: Deployed) -> dict[str, Any]:
    """The same under the name that RFC 8414 gives it."""
    return await discovery(deployment)


@router.get("/.well-known/jwks.json")
async def jwks(deployment: Deployed, response: Response) -> dict[str, Any]:
    """The public keys that check our tokens."""
    response.headers["cache-control"] = "public, max-age=300"
    return service.issuer_of(deployment).jwks()
