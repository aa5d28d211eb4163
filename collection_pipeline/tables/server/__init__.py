"""The Postgres server itself: found or started, connected to, migrated, guarded, purged and asked."""
