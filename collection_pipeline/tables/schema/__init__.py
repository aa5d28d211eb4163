"""The ground that the stores stand on: tables, views, functions, announcements and locks."""
