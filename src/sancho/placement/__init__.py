"""Placement: inputs of waiting jobs are copied to where the jobs can run, for VOs that allow it.

    queues with inputs ─▶ plan: whose data is at no site that can run them, or only where it is full ─▶ a rule each

What waiting jobs want is counted by `jobs` and kept by `rules` (`demand`); here a copy is asked for, once, with a
lifetime and within a limit that the VO's `DataPlacement` document says, at the site with the most free slots. It goes
an hour after the last job that wanted it. `docs/adr/0038` says why.
"""
