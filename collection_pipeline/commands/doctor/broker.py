"""The Redis that workers take runs from, where runs go to workers."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from collection_pipeline.core.health import Finding, fault, ok
from collection_pipeline.settings.runs import RunSettings

PATIENCE_S = 5.0

BROKER = "broker"


def broker_findings(environment: Mapping[str, str]) -> Iterator[Finding]:
    """Whether it answers; nothing where runs are started on this machine."""
    runs = RunSettings.from_mapping(environment)
    if runs.launcher != "celery":
        return
    if importlib.util.find_spec("celery") is None:
        yield fault(BROKER, "Celery is not installed.", "pip install 'collection-pipeline[celery]'.")
        return
    yield _answer(runs.broker)


def _answer(address: str) -> Finding:
    import redis

    host = urlsplit(address).hostname
    try:
        with redis.Redis.from_url(
            address, socket_timeout=PATIENCE_S, socket_connect_timeout=PATIENCE_S, retry=None
        ) as client:
            version = str(client.info("server")["redis_version"])
    except redis.RedisError as error:
        return fault(
            BROKER,
            f"Redis at {host} does not answer ({type(error).__name__}).",
            "Start it, or correct COLLECTION_BROKER_URL. Runs that are at work go on; others wait for it.",
        )
    return ok(BROKER, f"Redis {version} answers at {host}.", redis=version)
