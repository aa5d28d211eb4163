"""eBay: the Browse API, and eBay's own result pages."""
