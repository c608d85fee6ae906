"""The grid as a file system of Python (fsspec): whatever reads `s3://` or `http://` reads `sancho://`.

    fsspec.open("sancho://mc:run1/a.root")               a DID
    fsspec.open("sancho:///belle/mc/run1/a.root")        the same by its path

`filesystem` knows names and directories, `reading` brings bytes from the replicas, `files` are files that are open.
It needs the extra `fsspec`; nothing else of the client imports it.
"""
