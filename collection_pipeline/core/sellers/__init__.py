"""The rules of the seller list: when two names are one account, what is on the list, and how people change it."""
