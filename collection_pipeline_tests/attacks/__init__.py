"""What was tried against the product: each file is one way in, each test's name one attempt."""
