"""Which eBay sellers sell the products that sell best on Amazon."""
