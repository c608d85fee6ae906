"""Explain: why a job, a rule, a file or a pilot does not do what somebody waits for, and what would change that.

A *blocker* is something that keeps it from going on. They come in the order in which they have to be out of the way.
A *would* is what happens if something were otherwise: "it would start at SITE-A if it asked for 2 GB of memory".

    what is known ──plan──▶ blockers in order ──one part relaxed at a time──▶ what would help

It reads what all features below know, and changes nothing. What it says is found with the functions by which the
matcher, placement and transfers decide, given something that is a little different: it never judges by itself.
"""
