"""The product behind a real PgBouncer in transaction mode."""
