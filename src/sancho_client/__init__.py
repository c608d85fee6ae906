"""The typed client of the native API, sync and async, and the user verbs of the command line; no server code."""
