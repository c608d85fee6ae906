"""Pure decisions of explanations: what stands in the way, in which order, and what would help."""
