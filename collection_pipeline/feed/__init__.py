"""The live activity feed: a small server that shows what collections do, as it happens.

    channel     the news of one collection: read once, however many read along
    hub         the channels somebody reads, kept fresh
    stream      one reader: stored events, then live ones, at the reader's own pace
    frames      how events look on the wire
    reading     blocking SQL in threads; questions asked by many are answered once
    health      whether the server can do its work, for probes
    metrics     the figures of the installation, as Prometheus reads them
    observing   both, asked as often as anybody likes and read once a second
    access      who may look, who may control
    endpoints   the answers
    description the one table of addresses, and its OpenAPI description
    app         all of it put together
    serving     the app over real HTTP

It reads `tables` and controls through them; it knows neither Dagster nor the marketplaces. Any number of these servers
may run on one database.
"""
