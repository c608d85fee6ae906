"""The demonstration: a grid from nothing, a small analysis of two VOs on it, and what came of it.

    up ▸ people, scopes, quotas ▸ for each VO: simulate ×10, analyse ▸ watch ▸ look at everything ▸ fetch ▸ down

`workload` is what is asked of the grid, with the job files and payloads of `payload/`; `watching` follows it
until all is done or nothing moves any more; `findings` asks the catalogue what there is and checks it; `view`
shows it; `trouble` says what is stuck. `run` is the whole story.

It uses the API as any user would, and knows the grid only by how it is brought up and down.
"""
