"""All user verbs, put together."""

from sancho_client.cli import configuration, data, job, rule, things, user
from sancho_client.cli.verbs import Verbs


def user_verbs(help_text: str = "") -> Verbs:
    """The user verbs as one group."""
    root = Verbs(help_text)
    user.add_to(root)
    root.add(job.verbs, "job")
    root.add(data.verbs, "data")
    root.add(rule.verbs, "rule")
    configuration.add_to(root)
    root.add(configuration.verbs, "config")
    things.add_to(root)
    return root
