"""The SQL of transfers; one statement each."""
