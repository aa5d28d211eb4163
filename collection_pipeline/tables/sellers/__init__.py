"""The seller list at rest: the list, its edits, its past, and what the data policy asks for."""
