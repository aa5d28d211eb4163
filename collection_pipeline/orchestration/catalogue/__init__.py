"""The catalogue in Dagster: partitions, and categories that are added."""
