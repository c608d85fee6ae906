"""Pure decisions of matching: `board` says whose job a pilot may have, `masks` what fits, `ranks` what suits.

`holding` keeps places for large jobs.
"""

from sancho.matching.plan.board import Board
from sancho.matching.plan.ranks import Ranks

__all__ = ["Board", "Ranks"]
