"""The command line: `main` finds the verb; verbs of users live in `sancho_client.cli`, verbs of the server here."""
