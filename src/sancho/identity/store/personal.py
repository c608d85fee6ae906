"""The SQL of what identity holds of a person."""

from collections.abc import AsyncIterator

from sancho.kit.db import Connection, execute, stream
from sancho.kit.personal import Line, Person


async def stream_person(conn: Connection, person: Person) -> AsyncIterator[Line]:
    """An account with its groups, what proves it, and its logins; no secret, and no hash of one."""
    chunks = stream(
        conn,
        """
        SELECT jsonb_build_object(
                   'what', 'account', 'account_id', account_id, 'name', name, 'email', email, 'attributes', attributes,
                   'kind', CASE kind WHEN 'U' THEN 'user' WHEN 'G' THEN 'group' ELSE 'service' END,
                   'state', CASE state WHEN 'A' THEN 'active' ELSE 'suspended' END, 'created_at', created_at,
                   'groups', ARRAY(SELECT g.name FROM membership AS m
                                     JOIN account_group AS g ON g.group_id = m.group_id AND g.vo = m.vo
                                    WHERE m.account_id = account.account_id AND m.vo = account.vo ORDER BY g.name))
          FROM account
         WHERE account_id = %(account_id)s AND vo = %(vo)s
        UNION ALL
        SELECT jsonb_build_object(
                   'what', 'identity', 'subject', subject, 'issuer', issuer, 'detail', detail,
                   'kind', CASE kind WHEN 'P' THEN 'password' WHEN 'O' THEN 'token issuer' WHEN 'S' THEN 'SSH key'
                                     WHEN 'X' THEN 'X.509 name' ELSE 'client secret' END,
                   'created_at', created_at, 'proven_at', proven_at, 'barred_at', barred_at)
          FROM identity
         WHERE account_id = %(account_id)s AND vo = %(vo)s
        UNION ALL
        SELECT jsonb_build_object('what', 'login', 'login_id', family, 'client', client, 'for', token_scope,
                                  'issued_at', issued_at, 'expires_at', expires_at, 'used_at', used_at,
                                  'revoked_at', revoked_at)
          FROM refresh_token
         WHERE account_id = %(account_id)s AND vo = %(vo)s
        """,
        {"vo": person.vo, "account_id": person.account_id},
    )
    async for rows in chunks:
        for (line,) in rows:
            yield line


async def erase_person(conn: Connection, person: Person) -> int:
    """Leave of an account its id, kind and age, under its pseudonym: suspended, in no group, proven by nothing."""
    parameters = {"vo": person.vo, "account_id": person.account_id, "pseudonym": person.pseudonym}
    gone = await execute(
        conn, "DELETE FROM identity WHERE account_id = %(account_id)s AND vo = %(vo)s", parameters
    )  # fmt: skip
    gone += await execute(
        conn, "DELETE FROM refresh_token WHERE account_id = %(account_id)s AND vo = %(vo)s", parameters
    )  # fmt: skip
    gone += await execute(conn, "DELETE FROM login WHERE account_id = %(account_id)s AND vo = %(vo)s", parameters)
    gone += await execute(conn, "DELETE FROM membership WHERE account_id = %(account_id)s AND vo = %(vo)s", parameters)
    return gone + await execute(
        conn,
        """
        UPDATE account SET name = %(pseudonym)s, email = NULL, attributes = '{}', state = 'S'
         WHERE account_id = %(account_id)s AND vo = %(vo)s
        """,
        parameters,
    )
