"""The SQL of rule rows: make, find, list, count, remove. Writes `rule` and `rule_detail`."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import LiteralString, NamedTuple

from sancho.kit.db import Connection, execute, fetch, fetch_rows, fetch_value, fetch_values, find
from sancho.replicas.model import ReplicaKey
from sancho.rules.model import FIRST_RETRY, LONGEST_RETRY, RETRIES, Counted, Rule, RuleState, Want

RULE: LiteralString = """
    SELECT r.rule_id, r.vo, r.account_id, a.name AS account, r.did_id, s.name || ':' || d.name AS did, r.state,
           r.complete, r.copies, x.rse_expression,
           ARRAY(SELECT e.name FROM rse e WHERE e.rse_id = ANY(x.rse_ids) ORDER BY e.name) AS rses,
           x.activity, r.ok, r.replicating, r.stuck, x.created_at, r.expires_at, CASE WHEN r.pin
                THEN coalesce((SELECT format('pinned for %%s waiting and %%s running jobs', w.waiting, w.running)
                                 FROM demand w WHERE w.did_id = r.did_id AND w.vo = r.vo), 'pinned for ended jobs')
                ELSE x.comment END AS comment, x.error, d.kind,
           x.locked, x.replaces,
           (SELECT y.rule_id FROM rule_detail y WHERE y.vo = r.vo AND y.replaces = r.rule_id LIMIT 1) AS replaced_by
      FROM rule r
      JOIN rule_detail x ON x.rule_id = r.rule_id AND x.vo = r.vo
      JOIN account a ON a.account_id = r.account_id AND a.vo = r.vo
      JOIN did d ON d.did_id = r.did_id AND d.vo = r.vo
      JOIN scope s ON s.scope_id = d.scope_id AND s.vo = d.vo
"""


class NewRule(NamedTuple):
    """A rule to insert."""

    account_id: int
    did_id: int
    copies: int
    rse_expression: str
    rse_ids: Sequence[int]
    lifetime: timedelta | None
    activity: str
    comment: str | None
    injecting: bool
    version: int | None
    traceparent: str | None
    waiting: bool = False
    replaces: int | None = None


class Shift(NamedTuple):
    """What one replica's news adds to the counters of each rule that holds it."""

    key: ReplicaKey
    ok: int
    replicating: int
    stuck: int


async def insert_rule(conn: Connection, vo: int, rule: NewRule) -> int:
    """Insert a rule without locks; return its id."""
    return await fetch_value(
        conn,
        """
        WITH made AS (
            INSERT INTO rule (vo, account_id, did_id, copies, expires_at, injecting, waiting, complete)
            VALUES (%(vo)s, %(account_id)s, %(did_id)s, %(copies)s, now() + %(lifetime)s, %(injecting)s, %(waiting)s,
                    NOT (%(injecting)s OR %(waiting)s))
            RETURNING vo, rule_id)
        INSERT INTO rule_detail (vo, rule_id, version, rse_ids, rse_expression, activity, comment, traceparent,
                                 replaces)
        SELECT vo, rule_id, %(version)s, %(rse_ids)s::int[], %(rse_expression)s, %(activity)s, %(comment)s,
               %(traceparent)s, %(replaces)s
          FROM made
        RETURNING rule_id
        """,
        {"vo": vo, **rule._asdict(), "rse_ids": list(rule.rse_ids)},
    )


async def find_rule(conn: Connection, vo: int, rule_id: int) -> Rule | None:
    """One rule."""
    return await find(
        conn, Rule, RULE + "WHERE r.rule_id = %(rule_id)s AND r.vo = %(vo)s", {"vo": vo, "rule_id": rule_id}
    )


async def find_same(conn: Connection, vo: int, rule: NewRule) -> int | None:
    """The oldest rule in force that asks the same for the same account, and like this one ends or does not."""
    return await fetch_value(
        conn,
        """
        SELECT r.rule_id
          FROM rule r JOIN rule_detail x ON x.rule_id = r.rule_id AND x.vo = r.vo
         WHERE r.did_id = %(did_id)s AND r.vo = %(vo)s AND r.account_id = %(account_id)s AND r.copies = %(copies)s
           AND NOT r.waiting
           AND x.rse_expression = %(rse_expression)s
           AND CASE WHEN %(lifetime)s::interval IS NULL THEN r.expires_at IS NULL ELSE r.expires_at > now() END
         ORDER BY r.rule_id
         LIMIT 1
        """,
        {"vo": vo, **rule._asdict(), "rse_ids": list(rule.rse_ids)},
    )


async def list_rules(
    conn: Connection, vo: int, filters: tuple[int | None, int | None, RuleState | None], page: tuple[int | None, int]
) -> list[Rule]:
    """Rules of an account, over a DID, in a state (each may be None), newest first: so many before an id."""
    account_id, did_id, state = filters
    before, limit = page
    return await fetch(
        conn,
        Rule,
        RULE
        + """
         WHERE r.vo = %(vo)s AND r.rule_id < coalesce(%(before)s, 9223372036854775807)
           AND (%(account_id)s::int IS NULL OR r.account_id = %(account_id)s)
           AND (%(did_id)s::bigint IS NULL OR r.did_id = %(did_id)s)
           AND (%(state)s::"char" IS NULL OR r.state = %(state)s::"char")
         ORDER BY r.rule_id DESC
         LIMIT %(limit)s
        """,
        {
            "vo": vo, "account_id": account_id, "did_id": did_id, "state": state.value if state else None,
            "before": before, "limit": limit,
        },
    )  # fmt: skip


async def prolong(conn: Connection, vo: int, rule_id: int, lifetime: timedelta) -> None:
    """Let a rule that ends live at least so long from now on."""
    await execute(
        conn,
        """
        UPDATE rule SET expires_at = now() + %(lifetime)s
         WHERE rule_id = %(rule_id)s AND vo = %(vo)s AND expires_at < now() + %(lifetime)s
        """,
        {"vo": vo, "rule_id": rule_id, "lifetime": lifetime},
    )


async def lock_rules(conn: Connection, vo: int, rule_ids: Sequence[int]) -> list[int]:
    """Lock rules in id order; return those that exist."""
    return await fetch_values(
        conn,
        """
        SELECT rule_id FROM rule WHERE rule_id = ANY(%(rule_ids)s::bigint[]) AND vo = %(vo)s
         ORDER BY rule_id FOR NO KEY UPDATE
        """,
        {"vo": vo, "rule_ids": list(rule_ids)},
    )


async def lock_rules_over(conn: Connection, vo: int, replicas: Sequence[ReplicaKey]) -> list[int]:
    """Lock, in id order, the rules that hold any of these replicas; return their ids.

    The caller has locked the replicas already: `replica` comes before `rule`
    in the one order in which this system takes locks.
    """
    return await fetch_values(
        conn,
        """
        SELECT rule.rule_id
          FROM rule
         WHERE rule.vo = %(vo)s
           AND rule.rule_id IN (
               SELECT lock.rule_id
                 FROM unnest(%(did_ids)s::bigint[], %(rse_ids)s::int[]) AS k (did_id, rse_id)
                 JOIN lock ON lock.did_id = k.did_id AND lock.vo = %(vo)s AND lock.rse_id = k.rse_id)
         ORDER BY rule.rule_id
           FOR NO KEY UPDATE
        """,
        {"vo": vo, "did_ids": [r.did_id for r in replicas], "rse_ids": [r.rse_id for r in replicas]},
    )


async def count_placed(conn: Connection, vo: int, locks: Sequence[Want]) -> None:
    """Count new locks on their rules, locked as their replicas are: the transfer request, looked up, says as what."""
    await execute(
        conn,
        """
        UPDATE rule
           SET ok = rule.ok + tally.ok, replicating = rule.replicating + tally.replicating,
               stuck = rule.stuck + tally.stuck
          FROM (SELECT w.rule_id,
                       count(*) FILTER (WHERE q.state IS NULL)::int AS ok,
                       count(*) FILTER (WHERE q.state <> 'S')::int AS replicating,
                       count(*) FILTER (WHERE q.state = 'S')::int AS stuck
                  FROM unnest(%(rules)s::bigint[], %(dids)s::bigint[], %(rses)s::int[]) AS w (rule_id, did_id, rse_id)
                  LEFT JOIN LATERAL (SELECT state FROM transfer_request q WHERE q.did_id = w.did_id AND q.vo = %(vo)s
                                        AND q.rse_id = w.rse_id OFFSET 0) AS q ON true
                 GROUP BY w.rule_id) AS tally
         WHERE rule.vo = %(vo)s AND rule.rule_id = tally.rule_id
        """,
        {
            "vo": vo, "rules": [w.rule_id for w in locks], "dids": [w.did_id for w in locks],
            "rses": [w.rse_id for w in locks],
        },
    )  # fmt: skip


async def shift(conn: Connection, vo: int, shifts: Sequence[Shift]) -> None:
    """Move the counts of all rules that hold these replicas; call it under `lock_rules_over`, once for each news.

    A rule that is stuck no more forgets why it was; once it is ok, also how often it was tried again.
    """
    await execute(
        conn,
        """
        WITH moved AS (
            UPDATE rule
               SET ok = rule.ok + tally.ok, replicating = rule.replicating + tally.replicating,
                   stuck = rule.stuck + tally.stuck
              FROM (SELECT lock.rule_id, sum(k.ok)::int AS ok, sum(k.replicating)::int AS replicating,
                           sum(k.stuck)::int AS stuck
                      FROM unnest(%(did_ids)s::bigint[], %(rse_ids)s::int[], %(ok)s::int[], %(replicating)s::int[],
                                  %(stuck)s::int[]) AS k (did_id, rse_id, ok, replicating, stuck)
                      JOIN lock ON lock.did_id = k.did_id AND lock.vo = %(vo)s AND lock.rse_id = k.rse_id
                     GROUP BY lock.rule_id) AS tally
             WHERE rule.vo = %(vo)s AND rule.rule_id = tally.rule_id
            RETURNING rule.rule_id, rule.vo, rule.state)
        UPDATE rule_detail x
           SET error = NULL, retry_at = NULL, retries = CASE moved.state WHEN 'O' THEN 0 ELSE x.retries END
          FROM moved
         WHERE moved.state IN ('O', 'R') AND x.rule_id = moved.rule_id AND x.vo = moved.vo
           AND (x.error IS NOT NULL OR moved.state = 'O' AND x.retries > 0)
        """,
        {
            "vo": vo, "did_ids": [s.key.did_id for s in shifts], "rse_ids": [s.key.rse_id for s in shifts],
            "ok": [s.ok for s in shifts], "replicating": [s.replicating for s in shifts],
            "stuck": [s.stuck for s in shifts],
        },
    )  # fmt: skip


async def count_removed(conn: Connection, vo: int, removed: Sequence[Counted], *, complete: bool) -> None:
    """Take removed locks off the counters of locked rules; without `complete`, these are not complete any more.

    A rule that is stuck no more forgets why it was.
    """
    await execute(
        conn,
        """
        WITH counted AS (
            UPDATE rule
               SET ok = rule.ok - gone.ok, replicating = rule.replicating - gone.replicating,
                   stuck = rule.stuck - gone.stuck, complete = rule.complete AND %(complete)s
              FROM unnest(%(rule_ids)s::bigint[], %(ok)s::int[], %(replicating)s::int[], %(stuck)s::int[])
                   AS gone (rule_id, ok, replicating, stuck)
             WHERE rule.rule_id = gone.rule_id AND rule.vo = %(vo)s
            RETURNING rule.rule_id, rule.vo, rule.state)
        UPDATE rule_detail x
           SET error = NULL, retry_at = NULL, retries = CASE counted.state WHEN 'O' THEN 0 ELSE x.retries END
          FROM counted
         WHERE counted.state IN ('O', 'R') AND x.rule_id = counted.rule_id AND x.vo = counted.vo
           AND (x.error IS NOT NULL OR counted.state = 'O' AND x.retries > 0)
        """,
        {
            "vo": vo, "complete": complete, "rule_ids": [gone.rule_id for gone in removed],
            "ok": [gone.ok for gone in removed], "replicating": [gone.replicating for gone in removed],
            "stuck": [gone.stuck for gone in removed],
        },
    )  # fmt: skip


async def mark_incomplete(conn: Connection, vo: int, lacking: Sequence[tuple[int, str, timedelta]]) -> None:
    """Say of locked rules that some files have no locks yet: (rule, why, when to try again)."""
    await execute(
        conn,
        """
        WITH marked AS (
            UPDATE rule SET complete = false, injecting = false
              FROM unnest(%(rule_ids)s::bigint[], %(reasons)s::text[], %(waits)s::interval[])
                   AS l (rule_id, reason, wait)
             WHERE rule.rule_id = l.rule_id AND rule.vo = %(vo)s
            RETURNING rule.vo, rule.rule_id, l.reason, l.wait)
        UPDATE rule_detail x SET error = marked.reason, retry_at = now() + marked.wait
          FROM marked
         WHERE x.rule_id = marked.rule_id AND x.vo = marked.vo
        """,
        {
            "vo": vo, "rule_ids": [one[0] for one in lacking], "reasons": [one[1] for one in lacking],
            "waits": [one[2] for one in lacking],
        },
    )  # fmt: skip


async def mark_stuck(conn: Connection, vo: int, rule_ids: Sequence[int], reason: str) -> None:
    """Note on locked rules why their locks got stuck, and when to try again unless that is settled already."""
    await execute(
        conn,
        """
        UPDATE rule_detail
           SET error = %(reason)s,
               retry_at = CASE WHEN retries < %(retries)s
                               THEN coalesce(retry_at, now() + least(%(first)s * power(2, retries), %(longest)s)) END
         WHERE rule_id = ANY(%(rule_ids)s::bigint[]) AND vo = %(vo)s
        """,
        {
            "vo": vo, "rule_ids": list(rule_ids), "reason": reason, "first": FIRST_RETRY, "longest": LONGEST_RETRY,
            "retries": RETRIES,
        },
    )  # fmt: skip


async def mark_complete(conn: Connection, vo: int, rule_id: int) -> None:
    """Say of a locked rule that every file has its locks; unless locks are stuck, forget why it was stuck."""
    await execute(
        conn,
        """
        WITH marked AS (
            UPDATE rule SET complete = true, injecting = false
             WHERE rule_id = %(rule_id)s AND vo = %(vo)s
            RETURNING vo, rule_id, stuck)
        UPDATE rule_detail x
           SET error = NULL, retry_at = CASE WHEN marked.stuck > 0 THEN x.retry_at END, retries = 0
          FROM marked
         WHERE x.rule_id = marked.rule_id AND x.vo = marked.vo AND marked.stuck = 0
        """,
        {"vo": vo, "rule_id": rule_id},
    )


async def lock_unchosen(conn: Connection, vo: int, rule_ids: Sequence[int]) -> dict[int, tuple[int, ...]]:
    """Be the only one who chooses RSEs for these rules; return what has been chosen by now, per rule."""
    rows = await fetch_rows(
        conn,
        """
        SELECT rule_id, rse_ids FROM rule_detail WHERE rule_id = ANY(%(rule_ids)s::bigint[]) AND vo = %(vo)s
         ORDER BY rule_id FOR NO KEY UPDATE
        """,
        {"vo": vo, "rule_ids": list(rule_ids)},
    )
    return {rule_id: tuple(rse_ids) for rule_id, rse_ids in rows}


async def set_chosen(conn: Connection, vo: int, rule_id: int, rse_ids: Sequence[int]) -> None:
    """Keep the RSEs chosen for a rule."""
    await execute(
        conn,
        "UPDATE rule_detail SET rse_ids = %(rse_ids)s::int[] WHERE rule_id = %(rule_id)s AND vo = %(vo)s",
        {"vo": vo, "rule_id": rule_id, "rse_ids": list(rse_ids)},
    )


async def expired(conn: Connection, vos: Sequence[int], now: datetime, each: int) -> list[tuple[int, int]]:
    """The rules longest past their time, (vo, rule), a few of each VO and the VOs in turn."""
    rows = await fetch_rows(
        conn,
        """
        SELECT v.vo, r.rule_id
          FROM unnest(%(vos)s::smallint[]) AS v (vo)
         CROSS JOIN LATERAL (
               SELECT rule_id, row_number() OVER (ORDER BY expires_at, rule_id) AS n
                 FROM rule WHERE rule.vo = v.vo AND expires_at <= %(now)s AND NOT rule.waiting
                  AND NOT EXISTS (SELECT FROM rule_detail x
                                   WHERE x.rule_id = rule.rule_id AND x.vo = rule.vo AND x.locked)
                ORDER BY expires_at, rule_id LIMIT %(each)s) AS r
         ORDER BY r.n, v.vo
        """,
        {"vos": list(vos), "now": now, "each": each},
    )
    return [(vo, rule_id) for vo, rule_id in rows]


async def claim_retries(conn: Connection, vos: Sequence[int], now: datetime, each: int) -> list[tuple[int, int]]:
    """Take the stuck rules that are due, (vo, rule), a few of each VO; each is due again later, unless it gets well."""
    rows = await fetch_rows(
        conn,
        """
        WITH due AS (
            SELECT d.vo, d.rule_id
              FROM unnest(%(vos)s::smallint[]) AS v (vo)
             CROSS JOIN LATERAL (
                   SELECT vo, rule_id FROM rule_detail x
                    WHERE x.vo = v.vo AND x.retry_at <= %(now)s
                    ORDER BY retry_at LIMIT %(each)s
                      FOR NO KEY UPDATE SKIP LOCKED) AS d)
        UPDATE rule_detail x SET retry_at = %(now)s + %(longest)s, retries = least(x.retries + 1, 1000)
          FROM due
         WHERE x.rule_id = due.rule_id AND x.vo = due.vo
        RETURNING x.vo, x.rule_id
        """,
        {"vos": list(vos), "now": now, "each": each, "longest": LONGEST_RETRY},
    )
    return sorted((vo, rule_id) for vo, rule_id in rows)


async def delete_rule(conn: Connection, vo: int, rule_id: int) -> None:
    """Remove a rule that has no locks any more."""
    await execute(conn, "DELETE FROM rule WHERE rule_id = %(rule_id)s AND vo = %(vo)s", {"vo": vo, "rule_id": rule_id})


async def end_now(conn: Connection, vo: int, rule_ids: Sequence[int], *, grace: timedelta = timedelta(0)) -> None:
    """Let rules expire now, or after a grace, those too that wait for approval."""
    await execute(
        conn,
        """
        UPDATE rule SET expires_at = least(coalesce(expires_at, now() + %(grace)s), now() + %(grace)s), waiting = false
         WHERE rule_id = ANY(%(rule_ids)s::bigint[]) AND vo = %(vo)s
        """,
        {"vo": vo, "rule_ids": list(rule_ids), "grace": grace},
    )
