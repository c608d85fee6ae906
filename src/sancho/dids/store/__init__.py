"""The SQL of the namespace; one statement each. Writes `scope`, `did`, what collections hold, and metadata.

Lock order: the row of a collection, then the lock on the VO's containers, then attachments in the order of their
children, then one slot of the tally. Documents of metadata come after DIDs, in order of their ids.
"""
