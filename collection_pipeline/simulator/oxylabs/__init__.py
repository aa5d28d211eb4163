"""Oxylabs as the simulator plays it."""
