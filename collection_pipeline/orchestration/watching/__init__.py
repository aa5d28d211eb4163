"""Watching in Dagster: checks, freshness, and the sensors that raise and send alerts."""
