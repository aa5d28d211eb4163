"""What is configured, what answers, and what is wrong with it."""
