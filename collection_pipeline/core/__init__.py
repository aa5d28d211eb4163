"""The rules: plain Python. Nothing here knows Dagster, HTTP or SQL, reads a clock or sleeps on its own."""
