"""The simulated world, the same for every seed: products, sellers and listings."""
