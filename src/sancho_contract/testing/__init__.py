"""Conformance suites: what every implementation of an extension is tested against, in its own CI."""
