"""Sites: one topology for slots, storage and links.

A *site* is a place run by one team; it has CEs, doors to batch systems, and RSEs, storages (feature `rses`). All
three are *resources*: rows of one table, with one name, one switch and one owner VO each, so that a downtime or a
grant reaches them alike. A *grant* lets other VOs use a resource of its owner's; with a site, all that is there.

    Site ◀── ComputeElement ─┐
      ▲                      ├── resource ── grant ──▶ VO
      └───── RSE ────────────┘

Topology comes true by documents; nothing here talks to a CE. What a transaction sees is what the VOs that it serves
own or were granted.
"""
