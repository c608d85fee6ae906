"""Who is calling, and what they may do: decided here, and nowhere else.

Every route, service and plugin call gets a `Principal` as the argument `caller`: the account, groups and
permissions behind one request. `app` installs the resolver (identity's) that turns a bearer token into one.

A decision is made of the permissions of the caller's groups, of what the caller owns, and of the policies of its
VO. A denial wins over whatever else allows it. `decide` explains and enforces nothing, `require` enforces: what it
lets pass or refuses is noted for the audit log.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Literal, LiteralString, Protocol

from sancho.kit import audit
from sancho.kit.db import Connection, Database
from sancho.kit.errors import Forbidden, PermissionMissing
from sancho.kit.policy import Effect, Policy, any_covers, contains, meet
from sancho.kit.tenancy import INSTANCE
from sancho_contract.policy import Opinion, Question

NAMED = 3
"""Things that a sentence names."""
On = str | Iterable[str] | None
"""The thing or things that a permission is used on, spelled out as `kit.policy` says; None: nothing in particular."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rights:
    """What an account may do and why: its groups, each with its permissions, and the policies of its VO."""

    roles: tuple[tuple[str, frozenset[str]], ...] = ()
    policies: tuple[Policy, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Principal:
    """The account, groups and permissions behind one request; `vos` are the VOs its transactions may serve."""

    vo: int
    vo_name: str
    account_id: int
    account: str
    groups: tuple[str, ...] = ()
    permissions: frozenset[str] = frozenset()
    vos: tuple[int, ...]
    pilot_id: int | None = None
    """Set when the caller is a pilot: then it has no account of its own (`account_id` 0)."""
    ce_id: int | None = None
    """The CE of a pilot."""
    job_id: int | None = None
    """Set when the caller is a job that runs, as `attempt_id`: for account `account_id`, without any of its rights."""
    attempt_id: int | None = None
    rights: Rights = Rights()
    limit: frozenset[str] | None = None
    """The permissions that the caller's token is for, whatever the account may do; None: all of them."""

    @property
    def is_machine(self) -> bool:
        """True for pilots and jobs, which are strangers to the routes of people."""
        return self.pilot_id is not None or self.job_id is not None

    @property
    def is_instance_admin(self) -> bool:
        """True for administrators of the installation itself."""
        return self.vo == INSTANCE and "*" in self.permissions

    @property
    def full_name(self) -> str:
        """The account; with its VO when that is another than the one it acts in."""
        return f"instance:{self.account}" if self.vo != INSTANCE and INSTANCE in self.vos else self.account

    def holds(self, permission: str) -> bool:
        """Say whether a group of the account has a permission, a verb on a kind such as `rules:create`."""
        return permission in self.permissions or "*" in self.permissions

    def may(self, permission: LiteralString, on: On = None) -> bool:
        """Say whether a permission may be used, on some things or on nothing in particular."""
        return decide(self, permission, on).allowed

    def may_somewhere(self, permission: str) -> bool:
        """Say whether there may be a thing on which a permission may be used: by a group, or by a policy."""
        return self.holds(permission) or any(
            policy.effect is not Effect.DENY and self.is_concerned(policy, permission) and self.reaches(permission)
            for policy in self.rights.policies
        )

    def reaches(self, permission: str) -> bool:
        """Say whether the token is for a permission: a policy that allows more does not widen it."""
        return self.limit is None or permission in self.limit

    def is_concerned(self, policy: Policy, permission: str) -> bool:
        """Say whether a policy is about this account's use of a permission. That of another VO never is.

        What denies, or may, is about all groups of the account, those too that its token leaves out.
        """
        mine = (
            self.groups if policy.effect is Effect.ALLOW else (*self.groups, *(name for name, _ in self.rights.roles))
        )
        return policy.vo in self.vos and policy.concerns(permission, self.account, mine)


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """Yes or no, and why, in sentences."""

    allowed: bool
    because: tuple[str, ...]
    thing: str | None = None
    """The one that was decided about; of many, the first, or the first that was denied."""
    items: int = 1
    policy: str | None = None
    """The policy that denied it."""


def decide(caller: Principal, permission: str, on: On = None, *, own: bool = False) -> Decision:
    """Say whether a permission may be used on all of these things, and why. Whose `own` they are needs no permission.

    A token that was narrowed must be for the permission all the same. Nothing is enforced and nothing noted: for that
    there is `require`.
    """
    things: list[str | None] = [*dict.fromkeys([on] if isinstance(on, str) else on or ())] or [None]
    policies = [p for p in caller.rights.policies if caller.is_concerned(p, permission)]
    first: Decision | None = None
    for thing in _telling(things, policies):
        one = _judge(caller, permission, thing, policies, own=own)
        if not one.allowed:
            return one if one.policy is not None else replace(one, items=len(things))
        first = first or one
    assert first is not None, "there is always a thing, or nothing in particular"
    return replace(first, items=len(things))


def _telling(things: list[str | None], policies: list[Policy]) -> list[str | None]:
    """The things to judge, in order: those that a policy names, and of the others one, which is as good as any."""
    if any(p.plugin is not None and not p.on for p in policies):
        return things
    patterns = tuple(pattern for p in policies for pattern in p.on)
    named = {thing for thing in things if any_covers(patterns, thing)} if patterns else set[str | None]()
    other = next((thing for thing in things if thing not in named), things[0])
    return [thing for thing in things if thing in named or thing == other] if named else [other]


def _judge(caller: Principal, permission: str, thing: str | None, policies: Iterable[Policy], *, own: bool) -> Decision:
    question = Question(
        vo=caller.vo_name, account=caller.account, groups=caller.groups, permission=permission, thing=thing, own=own
    )
    because = [f"It belongs to {caller.account}."] if own and caller.reaches(permission) else []
    if caller.holds(permission):
        groups = [
            name for name, held in caller.rights.roles if name in caller.groups and (permission in held or "*" in held)
        ]
        by = f"group {' and '.join(groups[:NAMED])}" if groups else "its groups"
        because.append(f"Account {caller.account} has {permission} by {by}.")
    for policy in policies:
        if not policy.touches(thing):
            continue
        answer = policy.answer(question)
        if answer.opinion is Opinion.DENY:
            said = f"Policy {policy.name} denies {permission}{_on(thing)}: {answer.reason}"
            return Decision(allowed=False, because=(said,), thing=thing, policy=policy.name)
        if answer.opinion is Opinion.ALLOW and caller.reaches(permission):
            because.append(f"Policy {policy.name} allows {permission}{_on(thing)}: {answer.reason}")
    if because:
        return Decision(allowed=True, because=tuple(because), thing=thing)
    if own:
        said = f"It belongs to {caller.account}, but the token is not for {permission}."
        return Decision(allowed=False, because=(said,), thing=thing)
    groups = ", ".join(caller.groups) or "none"
    said = f"No group of account {caller.account} has {permission}, and no policy allows it{_on(thing)}"
    return Decision(allowed=False, because=(f"{said}; it is in: {groups}.",), thing=thing)


def _on(thing: str | None) -> str:
    return f" on {thing}" if thing else ""


def may_give(caller: Principal, permission: str, pattern: str | None) -> bool:
    """Say whether somebody has a permission on all that a pattern means: nobody gives, or takes, what they do not have.

    None means everything. Whoever has `*` has everything, so that no policy locks out those who look after policies.
    """
    if "*" in caller.permissions:
        return True
    policies = [p for p in caller.rights.policies if caller.is_concerned(p, permission)]
    if any(p.effect is not Effect.ALLOW and (not p.on or _meets(p, pattern)) for p in policies):
        return False
    return caller.holds(permission) or any(
        not p.on or (pattern is not None and any(contains(wide, pattern) for wide in p.on))
        for p in policies
        if caller.reaches(permission)
    )


def _meets(policy: Policy, pattern: str | None) -> bool:
    return pattern is None or any(meet(one, pattern) for one in policy.on)


class PolicyDenies(Forbidden):
    """{reason}"""

    code = "policy_denies"

    def __init__(self, *, reason: str, policy: str, vo: str) -> None:
        """Say what the policy says."""
        super().__init__(
            reason=reason, policy=policy, vo=vo,
            hint=f"A policy wins over what groups have; ask an administrator of {vo} about policy {policy}.",
        )  # fmt: skip


def require(caller: Principal, permission: LiteralString, *, on: On = None) -> None:
    """Let the caller pass, or raise `PermissionMissing` or `PolicyDenies`; note it for the audit log.

    Call it once for all the things of a request, not once for each.
    """
    decision = decide(caller, permission, on)
    _note(caller, permission, decision)
    _refuse(caller, decision)
    if not decision.allowed:
        raise PermissionMissing(account=caller.account, vo=caller.vo_name, permission=permission)


def _refuse(caller: Principal, decision: Decision) -> None:
    if not decision.allowed and decision.policy is not None:
        raise PolicyDenies(reason=decision.because[0], policy=decision.policy, vo=caller.vo_name)


def _note(caller: Principal, permission: str, decision: Decision) -> None:
    audit.note(
        audit.Entry(
            vo=caller.vo,
            account=caller.full_name,
            pilot_id=caller.pilot_id,
            permission=permission,
            allowed=decision.allowed,
            why=decision.because[0],
            thing=decision.thing,
            items=decision.items,
        )
    )


class NotYours(Forbidden):
    """{what} belongs to account {owner}."""

    code = "not_yours"

    def __init__(self, *, what: str, owner: str) -> None:
        """Name the thing and its owner."""
        super().__init__(what=what, owner=owner, hint="Ask its owner, or an administrator of your VO.")


class TokenTooNarrow(Forbidden):
    """{what} is yours, but your token is not for {permission}."""

    code = "token_too_narrow"

    def __init__(self, *, what: str, permission: str) -> None:
        """Say what the token would have to be for."""
        super().__init__(
            what=what,
            permission=permission,
            hint=f"Use a token that was not narrowed, or whose scope has {permission}.",
        )


def require_owner(
    caller: Principal, account_id: int, permission: LiteralString, *, what: str, owner: str, on: On = None
) -> None:
    """Let the owner pass, and whoever holds `permission` over other people's things; else raise `NotYours`.

    A policy that denies `permission` denies it to the owner too, with `PolicyDenies`, and so does a token that was
    narrowed to something else, with `TokenTooNarrow`. It is noted for the audit log.
    """
    own = caller.account_id == account_id
    decision = decide(caller, permission, on, own=own)
    _note(caller, permission, decision)
    _refuse(caller, decision)
    if not decision.allowed and own:
        raise TokenTooNarrow(what=what, permission=permission)
    if not decision.allowed:
        raise NotYours(what=what, owner=owner)


class NotForPilots(Forbidden):
    """This route is for people; a pilot has those under /v1/pilot."""

    code = "not_for_pilots"

    def __init__(self) -> None:
        """A pilot's token serves every VO of its CE, so nothing of theirs is shown to it beyond its own work."""
        super().__init__(hint="Log in as an account.")


class NotForJobs(Forbidden):
    """This route is for people; a job has those under /v1/job."""

    code = "not_for_jobs"

    def __init__(self) -> None:
        """Whoever reads a job's token on a worker node can do with it what the job was submitted to do, no more."""
        super().__init__(hint="A job's token is for its own inputs and outputs alone.")


def refuse_machines(caller: Principal) -> None:
    """Let people pass; raise `NotForPilots` or `NotForJobs` for others."""
    if caller.pilot_id is not None:
        raise NotForPilots
    if caller.job_id is not None:
        raise NotForJobs


class NotAJob(Forbidden):
    """Only a job that runs may use this route."""

    code = "not_a_job"

    def __init__(self) -> None:
        """People use /v1/jobs."""
        super().__init__(hint="A job finds its token in the file that SANCHO_TOKEN_FILE names.")


class NotAPilot(Forbidden):
    """Only pilots may use this route."""

    code = "not_a_pilot"

    def __init__(self) -> None:
        """People use /v1/jobs."""
        super().__init__(hint="See /docs for the routes of users.")


Algorithm = Literal["Ed25519", "ES256"]
"""How a token is signed: Ed25519 for ourselves, ES256 for software that knows nothing newer, such as storages."""


class Signer(Protocol):
    """Signs tokens in the name of this installation; identity provides it."""

    issuer: str

    def sign(self, claims: Mapping[str, Any], lifetime: timedelta, *, algorithm: Algorithm = "Ed25519") -> str:
        """Make a JWT: `claims` and our `iss`, `iat`, `nbf`, `exp`, `jti`."""
        ...


class Authenticator(Protocol):
    """Turns a bearer token into a principal; identity provides it."""

    async def authenticate(self, token: str) -> Principal:
        """Check the token and say who it is; raises `Unauthorized` or `Forbidden`."""
        ...


class Directory(Authenticator, Protocol):
    """Knows what accounts may do that are not calling; identity provides it."""

    async def principal_of(self, conn: Connection, vo: int, vo_name: str, account: str) -> Principal | None:
        """The principal that an account of a VO would be now; None when there is none, or it is suspended."""
        ...


class Machines(Protocol):
    """Knows whether pilots and jobs are alive; `app` gives identity's authenticator those of `pilots`."""

    async def is_good(self, database: Database, vo: int, pilot_id: int, login: str) -> bool:
        """Say whether a pilot has not been ended, and its token came from this login, with none after it."""
        ...

    async def owner(self, database: Database, vo: int, job_id: int, attempt_id: int) -> int | None:
        """The account that a job works for; None as soon as this attempt at it has ended."""
        ...


class RightsOf(Protocol):
    """Reads what an account may do; `app` gives identity's authenticator one."""

    async def __call__(self, conn: Connection, vo: int, account_id: int) -> Rights:
        """The groups of an account, and the policies of its VO, at this moment."""
        ...
