"""What execnet has an interpreter do that it starts, in forks: wait for a line that says what to do; see `nursery`."""

import sys

exec(eval(sys.stdin.readline()))
