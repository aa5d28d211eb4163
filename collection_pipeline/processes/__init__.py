"""The processes of one machine: which run, and keeping them running."""
