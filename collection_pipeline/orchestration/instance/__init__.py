"""Dagster's own parts as this project runs them: runs, their events, the daemon and the UI server."""
