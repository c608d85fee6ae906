"""CWL CommandLineTools, read as descriptions of jobs: pure, and nothing of them is evaluated."""
