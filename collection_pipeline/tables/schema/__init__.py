"""What the stores share: tables, views, functions, announcements and locks."""
