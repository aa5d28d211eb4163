"""Collections at rest: what is asked for, what is found, and what may be called at this moment."""
