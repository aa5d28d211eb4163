"""The rules of collecting: collections and their searches, the worker loop, requests, retries and what calls cost."""
