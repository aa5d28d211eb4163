"""The rules of watching: what is worth an alert, what is unusual, what is stale."""
