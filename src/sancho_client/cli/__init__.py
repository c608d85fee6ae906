"""The user verbs of the command line, over the typed client.

Answers go to standard output, everything else (progress, hints, errors) to standard error. On a terminal answers are
tables, with colour unless NO_COLOR is set; elsewhere they are lines of tab-separated values; with `--json` they are
one JSON document and nothing else. The exit codes are in `verbs`.
"""
