"""What an extension promises and may expect: Protocols, their values, a conformance suite for each; imports nothing of ours."""
