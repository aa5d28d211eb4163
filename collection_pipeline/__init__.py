"""Which eBay sellers sell the products that sell best on Amazon."""

__version__ = "0.1.0"
