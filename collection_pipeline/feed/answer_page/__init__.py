"""The answer page: what was found, a page of a list at a time, and edits of the seller list where they are allowed."""
