"""Moving bytes between this machine and the grid: uploads, downloads, sandboxes.

Bytes go straight to and from storages and the object store, never through the API. Nothing is held in memory whole,
and every file's adler32 is checked on the way. From asyncio call these functions by `asyncio.to_thread`.
"""
