"""Matches among ten million waiting jobs: `python -m bench.crowd [--jobs 10000000]`.

Three VOs, 200 owners, 5 000 task queues, 1 000 sites. Sizes and CPU times of the queues are those of the LHCb snapshot
(`bench.lhcb`), each of its 498 queues ten times and scaled; a seeded generator (`filling.QUEUES_SEED`) says whose each
is, its memory, cores, sites and which of 300 software tags it wants. Seven of ten requests are of slots that are too
small for anything, as most that pilots ask in a full grid are answered with No.

Requests go to one API process over eight connections, in turns with `GET /v1/whoami` of as many pilots, with tokens
that are new to the server, as of pilots that ask once, and with tokens that it knows, as of those that ask again and
again. Shares are looked at in another run, in which one owner has 80 % of all jobs; `--search` searches the jobs then.
"""
