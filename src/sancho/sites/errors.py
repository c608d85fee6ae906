"""What can go wrong with the topology."""

from sancho.kit.errors import Forbidden, Invalid, NotFound


class SiteNotFound(NotFound):
    """Site {site} does not exist."""

    code = "site_not_found"

    def __init__(self, *, site: str, field: str | None = "site") -> None:
        """Name the site that was asked for."""
        super().__init__(site=site, field=field)


class ComputeElementNotFound(NotFound):
    """Compute element {ce} does not exist."""

    code = "ce_not_found"

    def __init__(self, *, ce: str | int, field: str | None = "ce") -> None:
        """Name the CE that was asked for."""
        super().__init__(ce=ce, field=field)


class ResourceNotFound(NotFound):
    """{kind} {name} does not exist."""

    code = "resource_not_found"

    def __init__(self, *, kind: str, name: str, field: str | None = None) -> None:
        """Name the resource that was asked for."""
        super().__init__(kind=kind, name=name, field=field)


class PluginMissing(Invalid):
    """No plugin named {plugin} is installed; there are: {installed}."""

    code = "plugin_missing"

    def __init__(self, *, plugin: str, installed: str, field: str) -> None:
        """Name what was asked for and what there is."""
        super().__init__(plugin=plugin, installed=installed, field=field)


class PluginBroken(Invalid):
    """Plugin {plugin} is installed, but cannot be loaded: {reason}."""

    code = "plugin_broken"

    def __init__(self, *, plugin: str, reason: str, field: str) -> None:
        """Say what it lacks."""
        super().__init__(plugin=plugin, reason=reason, field=field, hint="Install what it needs on the server.")


class SettingsInvalid(Invalid):
    """Plugin {plugin} does not take these settings: {problems}"""

    code = "settings_invalid"

    def __init__(self, *, plugin: str, problems: str, field: str) -> None:
        """Say what the plugin objects to."""
        super().__init__(plugin=plugin, problems=problems, field=field)


class ResourceOfOthers(Forbidden):
    """{kind} {name} belongs to the installation or another VO, which alone announces its downtimes."""

    code = "resource_of_others"

    def __init__(self, *, kind: str, name: str) -> None:
        """Name the resource."""
        super().__init__(kind=kind, name=name, hint="Ask an administrator of the installation.")


class DowntimeNotFound(NotFound):
    """Downtime {downtime_id} does not exist."""

    code = "downtime_not_found"

    def __init__(self, *, downtime_id: int) -> None:
        """Name the downtime."""
        super().__init__(downtime_id=downtime_id, field="downtime_id")


class DowntimeOver(Invalid):
    """This downtime would end before it begins, or is over already."""

    code = "downtime_over"

    def __init__(self, *, field: str) -> None:
        """Blame a field."""
        super().__init__(field=field, hint="Leave out the end if nobody knows it yet.")
