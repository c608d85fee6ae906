"""The door of explanations: one function for each kind of thing. The caller owns the transaction."""

from sancho.explain.service.files import explain_file
from sancho.explain.service.jobs import explain_job
from sancho.explain.service.pilots import explain_pilot
from sancho.explain.service.rules import explain_rule

__all__ = ["explain_file", "explain_job", "explain_pilot", "explain_rule"]
