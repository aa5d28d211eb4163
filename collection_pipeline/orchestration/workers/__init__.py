"""Runs on other machines: sent through a broker, taken by workers, and sent again if the broker lost them."""
