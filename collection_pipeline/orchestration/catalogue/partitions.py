"""The partitions: one per category of the catalogue in force."""

import dagster as dg

categories = dg.DynamicPartitionsDefinition(name="category")
"""Dynamic, because a team adds categories without touching code; automation.py keeps them equal to the catalogue."""

MARKETPLACE_POOL = "marketplace"
"""Every run that may call a marketplace is in this pool, which lets COLLECTION_MAX_RUNS of them work at a time."""
