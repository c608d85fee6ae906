"""Pure decisions of matching: `board` says whose job a pilot may have, `masks` what fits at all."""

from sancho.matching.plan.board import Board

__all__ = ["Board"]
