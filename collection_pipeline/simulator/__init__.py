"""A marketplace server for development and tests: Amazon best sellers by Oxylabs and eBay's Browse API over real HTTP.

It answers with the vendors' wire formats, is deterministic by seed and sized by parameters, and misbehaves on demand.
Start it with `server.running(SimulatorConfig(...))` or `server.serve(...)`. Nothing in production imports it, and it
imports nothing of ours.
"""
