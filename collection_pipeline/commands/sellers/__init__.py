"""`collection-pipeline sellers`: the seller list, its files and its past."""
