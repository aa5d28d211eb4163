"""The seller list in Dagster: jobs that edit it, and the watched folder."""
