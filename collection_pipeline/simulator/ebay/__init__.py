"""eBay as the simulator plays it."""
