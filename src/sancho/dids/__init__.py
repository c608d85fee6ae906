"""The namespace: every file, dataset and container of a VO, and what lies in what.

A *DID* is `scope:name`. A file is the smallest thing that has one; a *dataset* holds files, a *container* holds
datasets and containers; either is open until it is closed. What a collection holds are its *attachments*.

    register ──▶ file ──attach──▶ dataset ──attach──▶ container        (no circles)

Files and bytes directly in a dataset are tallied in slots as they are attached, so that asking costs no scan.
`service` is the only door for other features. It knows accounts and scopes; where files are is the business of
`replicas`, and that rules above follow what comes and goes is announced: tasks `rules:extend`, `rules:retract`.
"""
