"""Which products are worth a search, and in which order: rules from the past of each, explained in docs/planning.md."""
