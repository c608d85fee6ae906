"""What can go wrong with policies and the audit log."""

from sancho.kit.errors import Invalid


class PermissionUnknown(Invalid):
    """There is no permission {permission}; there are: {known}."""

    code = "permission_unknown"

    def __init__(self, *, permission: str, known: str) -> None:
        """Name what there is."""
        super().__init__(permission=permission, known=known, field="permission")


class PolicyPluginUnfit(Invalid):
    """Policy plugin {plugin} cannot be used so: {reason}"""

    code = "policy_plugin_unfit"

    def __init__(self, *, plugin: str, reason: str, field: str) -> None:
        """Say what the plugin objects to."""
        super().__init__(plugin=plugin, reason=reason, field=field)


class LocksOut(Invalid):
    """Policy {policy} would deny account {account}, who applies it, to take it back."""

    code = "locks_out"

    def __init__(self, *, policy: str, account: str, field: str) -> None:
        """Say how to write it otherwise."""
        hint = "Name groups or accounts without yourself, or leave configuration:apply and * out."
        super().__init__(policy=policy, account=account, field=field, hint=hint)


class HeadMalformed(Invalid):
    """A remembered batch is written as NUMBER:HASH, as an earlier check said it."""

    code = "head_malformed"

    def __init__(self) -> None:
        """Blame the parameter."""
        super().__init__(field="head")
