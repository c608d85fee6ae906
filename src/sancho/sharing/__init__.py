"""Sharing: datasets of one VO that others may read, because a document of the owner says so.

The document is the grant: there is no other record of it, so what is withdrawn is refused from the next request on.
Who reads does so in a transaction that serves the owner alone and begins with a look at the grant; so no policy of
row-level security is wider for it, and nothing else of the owner can be reached. Nobody writes by it. What is done for
a job that has such a dataset among its inputs is done in the job's transaction: a part of it serves the owner alone.

    reader ──grant?──▶ transaction of the owner, for one dataset ──▶ contents, replicas, tokens that read its files
"""
