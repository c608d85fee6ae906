"""What an extension promises and may expect: Protocols, values, conformance suites; imports nothing of ours."""
