"""Collecting in Dagster: the assets, the jobs that control a collection, and what runs by itself."""
