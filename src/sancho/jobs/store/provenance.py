"""What jobs know of the DIDs that they made, for searches: of an output, the job and where it ran."""

from psycopg import sql

from sancho.kit.search import Composable, FieldKind, SearchField


def _made(test: Composable) -> Composable:
    """Ids of the DIDs of which a condition is met by the attempt that made it, `t`, its job, its owner, or the site."""
    return sql.SQL(
        """
        SELECT p.did_id
          FROM provenance p
          JOIN attempt t ON t.attempt_id = p.attempt_id AND t.vo = %(vo)s
          JOIN job j ON j.job_id = t.job_id AND j.vo = %(vo)s
          JOIN account owner ON owner.account_id = j.account_id AND owner.vo = %(vo)s
          LEFT JOIN resource site ON site.resource_id = t.site_id
         WHERE p.vo = %(vo)s AND {}
        """
    ).format(test)


SEARCH_FIELDS: tuple[SearchField, ...] = (
    SearchField(name="job.id", kind=FieldKind.INTEGER, value=sql.SQL("j.job_id"), cast="bigint", finder=_made),
    SearchField(
        name="job.account", kind=FieldKind.TEXT, value=sql.SQL('(owner.name COLLATE "C")'), cast="text", finder=_made
    ),
    SearchField(
        name="job.site", kind=FieldKind.TEXT, value=sql.SQL('(site.name COLLATE "C")'), cast="text", finder=_made
    ),
    SearchField(
        name="job.ended_at", kind=FieldKind.TIME, value=sql.SQL("t.ended_at"), cast="timestamptz", finder=_made
    ),
)
"""What DIDs may be searched by that jobs know."""
