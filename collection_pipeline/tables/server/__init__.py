"""The Postgres server itself: found or started, connected to, migrated, secured, purged and queried."""
