"""Tokens, without HTTP: checked for the first time, seen before, and issued.

`token_verify`: tokens that were never seen, by `Issuer.check`. Raw: the bare Ed25519 check of the same signatures.
`token_seen`: tokens that this process remembers, by `Authenticators`. Raw: the same bare check.
`token_issue`: access tokens with the claims of a login. Raw: the bare Ed25519 signature of as many bytes.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from joserfc.util import urlsafe_b64decode

from bench.driver import Round
from bench.figures import Figure, compare
from bench.ground import TOKEN_LIFETIME, Ground
from sancho.decisions import service as decisions
from sancho.identity import service as identity
from sancho.kit.db import Database
from sancho.kit.extensions import Extensions
from sancho.local.postgres import SERVER

TOKENS, SEEN = 2000, 500


def measure(ground: Ground, rows: int, rounds: int) -> tuple[Figure, ...]:
    """Tokens checked, recognised and issued in a second."""
    issuer = ground.signer
    tokens = [issuer.sign(_claims(issuer.issuer), TOKEN_LIFETIME) for _ in range(TOKENS)]
    said = next(key for key in issuer.jwks()["keys"] if key["alg"] == "Ed25519")
    public = Ed25519PublicKey.from_public_bytes(urlsafe_b64decode(said["x"].encode()))
    split = [token.rpartition(".") for token in tokens]
    signed = [(urlsafe_b64decode(signature.encode()), text.encode()) for text, _, signature in split]
    private = Ed25519PrivateKey.generate()
    length = len(signed[0][1])

    def bare() -> Round:
        return _timed(lambda one: public.verify(*one), signed)

    return (
        compare("token_verify", rows, lambda: _timed(issuer.check, tokens), bare, rounds=rounds)[0],
        compare("token_seen", rows, lambda: asyncio.run(_seen(ground, tokens[:SEEN])), bare, rounds=rounds)[0],
        compare(
            "token_issue", rows,
            lambda: _timed(lambda _: issuer.sign(_claims(issuer.issuer), TOKEN_LIFETIME), tokens),
            lambda: _timed(lambda _: private.sign(bytes(length)), tokens), rounds=rounds,
        )[0],
    )  # fmt: skip


def _claims(issuer: str) -> dict[str, Any]:
    return {
        "sub": "lhcb:prod", "aud": issuer, "scope": "sancho", "vo": "lhcb", "groups": ["data", "mc"], "wlcg.ver": "1.0",
        "wlcg.groups": ["/lhcb", "/lhcb/data", "/lhcb/mc"],
    }  # fmt: skip


def _timed(work: Callable[[Any], object], items: Iterable[Any]) -> Round:
    latencies: list[float] = []
    began = time.perf_counter()
    for item in items:
        at = time.perf_counter()
        work(item)
        latencies.append((time.perf_counter() - at) * 1000)
    return Round(len(latencies), time.perf_counter() - began, latencies)


async def _seen(ground: Ground, tokens: list[str]) -> Round:
    database = Database(ground.cluster.url(SERVER), size=2)
    await database.open()
    try:
        authenticators = identity.Authenticators(database, ground.signer, rights=decisions.rights_of(Extensions()))
        for token in tokens:
            await authenticators.authenticate(token)
        latencies: list[float] = []
        began = time.perf_counter()
        for token in tokens * (TOKENS // SEEN):
            at = time.perf_counter()
            await authenticators.authenticate(token)
            latencies.append((time.perf_counter() - at) * 1000)
        return Round(len(latencies), time.perf_counter() - began, latencies)
    finally:
        await database.close()
