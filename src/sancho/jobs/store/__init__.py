"""The SQL of jobs: `submitting` makes them, `inputs` readies what they read, `life` moves them, `views` shows them."""
