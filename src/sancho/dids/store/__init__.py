"""The SQL of the namespace; one statement each. Writes `scope`, `did`, what collections hold, and metadata.

Lock order: the lock on the VO's keys of metadata, the row of a collection, the lock on the VO's containers,
attachments in the order of their children, one slot of the tally. Making or deleting files locks one slot of the tally
of each directory above them, by scope and path: triggers do so with the statement, so it comes right after the rows of
DIDs. Documents of metadata come after DIDs, in order of their ids.
Archives and what is to lie in them are locked as rows of DIDs, all in one order, before new files are made.
"""
