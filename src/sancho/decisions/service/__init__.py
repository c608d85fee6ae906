"""The door of decisions: rights and policies, what somebody may do and why, the audit log."""

from sancho.decisions.service.explaining import Facts, ObstacleOf, OwnerOf, explain
from sancho.decisions.service.log import check, drop, head_of, prefix_of, seal, search, write_down
from sancho.decisions.service.policies import POLICY, rights_of
from sancho.decisions.store import Filter

__all__ = [
    "POLICY", "Facts", "Filter", "ObstacleOf", "OwnerOf", "check", "drop", "explain", "head_of", "prefix_of",
    "rights_of", "seal", "search", "write_down",
]  # fmt: skip
