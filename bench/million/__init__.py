"""One dataset of a million files: every call that can meet it, each with its seconds and what it took of memory.

    python -m bench.million [--files 1000000] [--only WORD] [--parts NAME …] [--folder /dev/shm]

It starts a database and an API process of its own, as the benchmarks do, and fills them with one dataset whose files
have replicas on two RSEs, a rule on the dataset, and rules of their own as uploads leave them. Then it asks, natively
and on Rucio's wire, and has the tasks done that follow. Of each it prints the answer, seconds, bytes, by how much the
process that did it grew meanwhile, and how long its longest transaction was. Nothing is a pass or a failure here;
docs/explanation/performance.md says what came out.
"""
