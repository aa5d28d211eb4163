"""Oxylabs: Amazon best sellers, and the jobs that fetch any page."""
