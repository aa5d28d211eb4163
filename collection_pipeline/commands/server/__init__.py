"""The commands that run the product: `up`, `database`, `simulate`."""
