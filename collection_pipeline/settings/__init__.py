"""Settings: frozen objects read from a mapping such as os.environ, and one clear sentence per wrong value."""
