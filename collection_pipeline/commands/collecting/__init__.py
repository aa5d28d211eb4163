"""`collection-pipeline collect` and `collections`."""
