"""The SQL of explanations, which only reads."""
