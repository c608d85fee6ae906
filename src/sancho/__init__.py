"""Sancho's server, worker and command line; each folder is one feature, named in the tiers of pyproject.toml."""
