"""The SQL of rules: rule rows, locks, what placement needs to know, quotas and usage."""
