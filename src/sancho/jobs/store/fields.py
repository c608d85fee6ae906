"""What jobs are searched by and shown with.

SQL here may use `j`, the job, the aliases of `JOINS`, and the parameter `vo`. A field names what it needs, so that a
search joins that alone. Names with a colon are ours: what people ask for by name is looked up, and found by id.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import LiteralString

from psycopg import sql

from sancho.jobs.model import PARAMETER_NAME, JobState
from sancho.kit.search import Composable, FieldKind, Finder, SearchField
from sancho.kit.units import parse_duration, parse_size

JOINS: Mapping[str, tuple[LiteralString, tuple[str, ...]]] = {
    "p": ("LEFT JOIN job_spec p ON p.job_id = j.job_id AND p.vo = %(vo)s", ()),
    "s": ("LEFT JOIN submission s ON s.submission_id = p.submission_id AND s.vo = %(vo)s", ("p",)),
    "a": ("LEFT JOIN account a ON a.account_id = j.account_id AND a.vo = %(vo)s", ()),
    "r": ("LEFT JOIN resource r ON r.resource_id = j.site_id", ()),
    "q": ("LEFT JOIN task_queue q ON q.task_queue_id = j.task_queue_id AND q.vo = %(vo)s", ()),
    "g": ("LEFT JOIN account_group g ON g.group_id = q.group_id AND g.vo = %(vo)s", ("q",)),
    "t": ("LEFT JOIN attempt t ON t.job_id = j.job_id AND t.vo = %(vo)s AND t.number = j.attempts", ()),
    "z": ("LEFT JOIN reschedule z ON z.job_id = j.job_id AND z.vo = %(vo)s", ()),
    "x": ("LEFT JOIN attempt_detail x ON x.attempt_id = t.attempt_id AND x.vo = %(vo)s", ("t",)),
    "um": ("LEFT JOIN job_status um ON um.job_id = j.job_id AND um.vo = %(vo)s AND um.kind = 'M'", ()),
    "ua": ("LEFT JOIN job_status ua ON ua.job_id = j.job_id AND ua.vo = %(vo)s AND ua.kind = 'A'", ()),
    "h": ("LEFT JOIN job_heartbeat h ON h.job_id = j.job_id AND h.vo = %(vo)s", ()),
}
"""What may be joined, in order, each with what it needs itself; none changes how many rows there are."""
OF_RANGES: Mapping[str, LiteralString] = {
    "p": "CROSS JOIN LATERAL (SELECT j.submission_id, (j.job_id - j.base_id)::integer AS number) AS p",
}
"""What is joined instead where jobs have no rows yet; the other aliases find what a range knows, or nothing."""
BY_MEMBER = frozenset({"id", "id:text", "number"})
"""What jobs of one range do not have in common."""
ALWAYS = frozenset({"id", "submitted_at", "changed_at"})


@dataclass(frozen=True, kw_only=True)
class JobField:
    """Something to search jobs by, and to show of them."""

    search: SearchField
    needs: tuple[str, ...] = ()
    shown: Composable | None = None
    """Its value in a list; None where a job may have many."""
    always: bool = False
    """Every job has one."""


def _state(text: str) -> str | None:
    return next((state.value for state in JobState if state.word == text.lower()), None)


def _size(text: str) -> int | None:
    try:
        found = int(parse_size(text))
    except ValueError:
        return None
    return found if found < 2**63 else None


def _seconds(text: str) -> float | None:
    try:
        return float(parse_duration(text))
    except (TypeError, ValueError):
        return None


CASTS: Mapping[FieldKind, LiteralString] = {
    FieldKind.TEXT: "text", FieldKind.WORD: "text", FieldKind.INTEGER: "bigint", FieldKind.NUMBER: "float8",
    FieldKind.TIME: "timestamptz", FieldKind.BOOLEAN: "bool",
}  # fmt: skip


def _plain(name: str, kind: FieldKind, value: LiteralString, *needs: str) -> JobField:
    said = sql.SQL(value)
    return JobField(
        search=SearchField(name=name, kind=kind, value=said, cast=CASTS[kind]), needs=needs, shown=said,
        always=name in ALWAYS,
    )  # fmt: skip


def _found(name: str, kind: FieldKind, value: LiteralString, finder: LiteralString) -> JobField:
    """A field whose value is elsewhere: `finder` is a query of ids of jobs that ends in a condition on the value."""
    query: Finder = lambda test: sql.SQL(finder + " AND {}").format(test)  # noqa: E731
    return JobField(search=SearchField(name=name, kind=kind, value=sql.SQL(value), cast=CASTS[kind], finder=query))


def _ended(test: Composable) -> Composable:
    return sql.SQL("(j.state IN ('D', 'F', 'K') AND {})").format(test)


def _said(name: str, alias: LiteralString, standing: LiteralString) -> JobField:
    """A text beside the state, of those that are `standing`: the others are of an earlier state or attempt."""
    stands = sql.SQL(standing)
    return JobField(
        search=SearchField(
            name=name, kind=FieldKind.TEXT, value=sql.SQL(alias + ".said"), cast="text",
            check=lambda test: sql.SQL("({} AND {})").format(stands, test),
        ),
        needs=(alias,), shown=sql.SQL("CASE WHEN {} THEN {} END").format(stands, sql.SQL(alias + ".said")),
    )  # fmt: skip


def _tagged(test: Composable) -> Composable:
    return sql.SQL(
        """EXISTS (SELECT FROM jsonb_array_elements(q.requirements) AS one (said)
                    CROSS JOIN LATERAL jsonb_array_elements_text(one.said -> 'tags') AS tag (word) WHERE {})"""
    ).format(test)


def _reading(test: Composable) -> Composable:
    return sql.SQL(
        """j.task_queue_id = ANY(ARRAY(
            SELECT b.task_queue_id
              FROM input_set_did i JOIN task_queue b ON b.input_set_id = i.input_set_id AND b.vo = %(vo)s
             WHERE i.vo = %(vo)s AND {test}
             UNION
            SELECT b.task_queue_id
              FROM input_set n
             CROSS JOIN LATERAL unnest(n.roots) AS i (did_id)
              JOIN task_queue b ON b.input_set_id = n.input_set_id AND b.vo = %(vo)s
             WHERE n.vo = %(vo)s AND {test}))"""
    ).format(test=test)


def _promising(test: Composable) -> Composable:
    return sql.SQL(
        "EXISTS (SELECT FROM job_output o WHERE o.job_id = j.job_id AND o.vo = %(vo)s AND {})"
    ).format(test)  # fmt: skip


TEXT, WORD, INTEGER, NUMBER, TIME = (
    FieldKind.TEXT, FieldKind.WORD, FieldKind.INTEGER, FieldKind.NUMBER, FieldKind.TIME,
)  # fmt: skip
MEMORY, WALLTIME = (
    sql.SQL("(q.requirements -> 0 ->> 'memory')::bigint"), sql.SQL("(q.requirements -> 0 ->> 'walltime')::float8"),
)  # fmt: skip
"""Of the first of the ways in which a job can run; tags are searched in all of them, as they were written."""
FIELDS: Mapping[str, JobField] = {
    field.search.name: field
    for field in (
        _plain("id", INTEGER, "j.job_id"),
        JobField(
            search=SearchField(name="state", kind=WORD, value=sql.SQL("j.state"), cast='"char"', read=_state),
            shown=sql.SQL("j.state"),
        ),
        _plain("name", TEXT, "s.name", "s"),
        _plain("type", TEXT, "s.type", "s"),
        _plain("job_group", TEXT, "s.job_group", "s"),
        _plain("command", TEXT, "(s.description ->> 'command')", "s"),
        _plain("group", TEXT, '(g.name COLLATE "C")', "g"),
        _plain("account", TEXT, '(a.name COLLATE "C")', "a"),
        _plain("site", TEXT, '(r.name COLLATE "C")', "r"),
        _plain("submission", INTEGER, "p.submission_id", "p"),
        _plain("number", INTEGER, "p.number", "p"),
        _plain("priority", INTEGER, "q.priority", "q"),
        _plain("attempts", INTEGER, "j.attempts"),
        _plain("submitted_at", TIME, "s.submitted_at", "s"),
        _plain("changed_at", TIME, "j.changed_at"),
        _plain("started_at", TIME, "t.started_at", "t"),
        JobField(
            search=SearchField(
                name="ended_at", kind=TIME, value=sql.SQL("j.changed_at"), cast="timestamptz", check=_ended
            ),
            shown=sql.SQL("CASE WHEN j.state IN ('D', 'F', 'K') THEN j.changed_at END"),
        ),
        _plain("error", TEXT, "t.reason", "t"),
        _plain("exit_code", INTEGER, "x.exit_code", "x"),
        _plain("wall", NUMBER, "extract(epoch FROM x.wall)::float8", "x"),
        _plain("cpu", NUMBER, "extract(epoch FROM x.cpu)::float8", "x"),
        _said("minor", "um", "um.state = j.state AND um.attempt = j.attempts"),
        _said("application", "ua", "ua.attempt = j.attempts"),
        _plain("heartbeat_at", TIME, "greatest(h.at, x.beat_at)", "h", "x"),
        _plain("max_memory", INTEGER, "x.max_memory", "x"),
        _plain("cores", INTEGER, "(q.requirements -> 0 ->> 'cores')::bigint", "q"),
        JobField(
            search=SearchField(name="memory", kind=INTEGER, value=MEMORY, cast="bigint", read=_size),
            needs=("q",),
            shown=MEMORY,
        ),
        JobField(
            search=SearchField(
                name="walltime", kind=NUMBER, value=WALLTIME, cast="float8", read=_seconds,
            ),
            needs=("q",),
            shown=WALLTIME,
        ),
        JobField(
            search=SearchField(
                name="tags", kind=TEXT, value=sql.SQL("tag.word"), cast="text", array=True, check=_tagged
            ),
            needs=("q",),
            shown=sql.SQL("ARRAY(SELECT jsonb_array_elements_text(q.requirements -> 0 -> 'tags'))"),
        ),
        JobField(
            search=SearchField(name="input", kind=WORD, value=sql.SQL("q.input_set_id"), cast="text"), needs=("q",)
        ),
        JobField(
            search=SearchField(name="output", kind=WORD, value=sql.SQL("o.job_id"), cast="text", check=_promising)
        ),
        JobField(
            search=SearchField(
                name="pilot", kind=INTEGER, value=sql.SQL("w.pilot_id"), cast="bigint",
                finder=lambda test: sql.SQL("SELECT w.job_id FROM attempt w WHERE w.vo = %(vo)s AND {}").format(test),
            ),
            needs=("t",), shown=sql.SQL("t.pilot_id"),
        ),
        JobField(
            search=SearchField(name="pilot.stamp", kind=WORD, value=sql.SQL("t.pilot_id"), cast="text"), needs=("t",)
        ),
        _plain("reschedules", INTEGER, "coalesce(z.number, 0)", "z"),
        _plain("rescheduled_at", TIME, "z.at", "z"),
        _plain("site:id", INTEGER, "j.site_id"),
        _plain("id:text", TEXT, "(j.job_id::text)"),
        _plain("priority:text", TEXT, "(q.priority::text)", "q"),
        _plain("reschedules:text", TEXT, "(coalesce(z.number, 0)::text)", "z"),
        _plain("account:id", INTEGER, "j.account_id"),
        JobField(
            search=SearchField(
                name="input:id", kind=INTEGER, value=sql.SQL("i.did_id"), cast="bigint", check=_reading
            )
        ),
        _found(
            "output:id", INTEGER, "o.dataset_id", "SELECT o.job_id FROM job_output o WHERE o.vo = %(vo)s"
        ),
    )
}  # fmt: skip
"""All that every job can be searched by."""
NEVER_SHOWN = frozenset(name for name, field in FIELDS.items() if ":" in name or field.shown is None)
PREFIX = "param."
_PARAMETER = re.compile(rf"param\.({PARAMETER_NAME})(:(?:word|number))?", re.ASCII)


def parameter_of(name: str) -> str | None:
    """The parameter that `param.NAME` means; None when it means none."""
    found = _PARAMETER.fullmatch(name)
    return found[1] if found and found[2] is None else None


def field_of(name: str) -> JobField | None:
    """A field by its name; None when there is none. `param.NAME` is always one, whether a job says it or not."""
    if name in FIELDS:
        return FIELDS[name]
    found = _PARAMETER.fullmatch(name)
    if found is None:
        return None
    column, kind = ("number", NUMBER) if found[2] == ":number" else ("word", TEXT)
    value = sql.SQL("m.value") if found[2] is None else sql.SQL("{}").format(sql.Identifier("m", column))
    named = sql.Literal(found[1])
    return JobField(
        search=SearchField(
            name=name.partition(":")[0], kind=kind, value=value, cast=CASTS[kind],
            finder=lambda test: sql.SQL(
                "SELECT m.job_id FROM job_parameter m WHERE m.vo = %(vo)s AND m.name = {} AND {}"
            ).format(named, test),
        ),
        shown=sql.SQL(
            "(SELECT m.value FROM job_parameter m WHERE m.job_id = j.job_id AND m.vo = %(vo)s AND m.name = {})"
        ).format(named),
    )  # fmt: skip


def ranked(states: Sequence[JobState]) -> JobField:
    """What sorts jobs by their states, in this order."""
    letters = sql.SQL(", ").join(sql.Literal(state.value) for state in states)
    value = sql.SQL("array_position(ARRAY[{}]::text[], j.state::text)").format(letters)
    return JobField(search=FIELDS["state"].search, shown=value)


def joined(needed: Iterable[str], *, unwritten: bool = False) -> sql.Composable:
    """The joins of what is needed, and of what that needs; of jobs that have no rows yet, where `j` is a range."""
    wanted, todo = set[str](), list(needed)
    while todo:
        alias = todo.pop()
        if alias not in wanted:
            wanted.add(alias)
            todo += JOINS[alias][1]
    return sql.SQL(" ").join(
        sql.SQL(OF_RANGES.get(alias, text) if unwritten else text)
        for alias, (text, _) in JOINS.items()
        if alias in wanted
    )
