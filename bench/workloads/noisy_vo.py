"""A VO that asks ten times as often as it may, and what another VO notices of it.

Both ask for an account (`GET /v1/accounts/prod`), each on a timetable: the quiet one at half of what a VO may ask by
default, the noisy one, with 20 accounts, at ten times that limit. Pairs of the quiet VO alone and beside the noise
are taken in turns; before each with noise, the noise has used up what it may ask at once.
"""

from statistics import median, quantiles

from bench.driver import AnswerRefused, Round, encode
from bench.figures import Figure, summary
from bench.ground import LHCB, OTHER, TOKEN_LIFETIME, Ground
from bench.pacing import Told, noise, send
from sancho.settings import FairSettings

PAIRS = 10
SECONDS, WARM = 4.0, 8.0
ACCOUNTS = 20
LINES = 32
PATH = "/v1/accounts/prod"


def measure(ground: Ground, rows: int, rounds: int) -> tuple[Figure, ...]:
    """Calls of the quiet VO in a second beside the noise, and alone."""
    del rounds
    share = FairSettings().vo
    _make_accounts(ground)
    ground.settle()
    quiet = [encode("GET", PATH, ground.token())]
    noisy = [encode("GET", PATH, _token(ground, f"noisy{n}")) for n in range(ACCOUNTS)]

    def alone() -> Told:
        return _all_well(send(ground.port, quiet, rate=share / 2, seconds=SECONDS, lines=8))

    def beside() -> Told:
        with noise(ground.port, noisy, rate=10 * share, seconds=WARM + SECONDS + 1, lines=LINES) as answers:
            send(ground.port, quiet, rate=share / 2, seconds=WARM, lines=8)
            found = _all_well(send(ground.port, quiet, rate=share / 2, seconds=SECONDS, lines=8))
        if not answers[429] or any(status >= 500 for status in answers):
            raise AnswerRefused(f"the noise was answered {dict(answers)}")
        return found

    with noise(ground.port, noisy, rate=10 * share, seconds=2 * WARM, lines=LINES):
        pass  # what it may ask at once after a long silence
    alone()
    beside()
    pairs = [(beside(), alone()) for _ in range(PAIRS)]
    worse = median(_p99(with_noise) / _p99(without) for with_noise, without in pairs)
    limit = median(len(without.latencies) / without.seconds for _, without in pairs)
    figures = [
        summary(name, rows, [Round(len(t.latencies), t.seconds, t.latencies) for t in side], limit)
        for name, side in (("noisy_vo", [a for a, _ in pairs]), ("quiet alone", [b for _, b in pairs]))
    ]
    return figures[0].judged(round(worse, 2)), figures[1]


def _p99(told: Told) -> float:
    return quantiles(told.latencies, n=100, method="inclusive")[98]


def _all_well(told: Told) -> Told:
    if told.statuses.keys() != {200}:
        raise AnswerRefused(f"the quiet VO was answered {dict(told.statuses)}")
    return told


def _token(ground: Ground, account: str) -> str:
    claims = {"sub": f"other:{account}", "aud": ground.signer.issuer, "scope": "sancho"}
    return ground.signer.sign(claims, TOKEN_LIFETIME)


def _make_accounts(ground: Ground) -> None:
    assert LHCB != OTHER
    ground.admin.execute(
        """
        WITH made AS (
            INSERT INTO account (vo, kind, name) SELECT %(vo)s, 'U', 'noisy' || n FROM generate_series(0, %(n)s - 1) AS n
             WHERE NOT EXISTS (SELECT FROM account WHERE vo = %(vo)s AND name = 'noisy' || n)
            RETURNING account_id)
        INSERT INTO membership (vo, group_id, account_id)
        SELECT %(vo)s, (SELECT min(group_id) FROM account_group WHERE vo = %(vo)s), account_id FROM made
        """,
        {"vo": OTHER, "n": ACCOUNTS},
    )
