"""How runs are started, and how many work at a time: read from a mapping such as os.environ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, cast
from urllib.parse import urlsplit

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.hosts import is_host
from collection_pipeline.settings.values import choice, given, whole_number

Launcher = Literal["fork", "default", "celery"]
"""What starts a run: a fork on this machine, Dagster's own launcher, or a worker on any machine."""

BESIDE_COLLECTING = 2
"""Runs beyond the collecting ones, so that a snapshot or an edit never queues behind a hundred of them."""

_BROKERS = ("redis", "rediss")


@dataclass(frozen=True)
class RunSettings:
    """How runs are started. The broker's address is a secret: it may hold a password."""

    launcher: Launcher = "fork"
    """What starts runs (COLLECTION_LAUNCHER)."""
    broker_url: str | None = field(default=None, repr=False)
    """Address of the Redis that workers take runs from (COLLECTION_BROKER_URL)."""
    max_runs: int = 5
    """Collecting runs at a time, on all machines together (COLLECTION_MAX_RUNS)."""
    worker_grace_s: int = 20
    """Seconds that the runs of a worker that is told to stop may go on (COLLECTION_WORKER_GRACE_S)."""

    @property
    def all_runs(self) -> int:
        """Runs at a time, those that collect nothing included."""
        return self.max_runs + BESIDE_COLLECTING

    @property
    def broker(self) -> str:
        """The broker's address. Raises PipelineError where there is none."""
        if self.broker_url is None:
            raise PipelineError(
                "Workers take their runs from Redis, and COLLECTION_BROKER_URL does not say where that is. Set it, for "
                "example to redis://redis.example:6379/0."
            )
        return self.broker_url

    @classmethod
    def from_mapping(cls, environment: Mapping[str, str]) -> RunSettings:
        """Reads COLLECTION_LAUNCHER and its like. An empty value counts as none. Raises PipelineError."""
        values = given(environment)
        read = cls(
            launcher=cast("Launcher", choice(values, "COLLECTION_LAUNCHER", "fork", "default", "celery")),
            broker_url=_broker(values),
            max_runs=whole_number(values, "COLLECTION_MAX_RUNS", cls.max_runs, least=1, most=998),
            worker_grace_s=whole_number(values, "COLLECTION_WORKER_GRACE_S", cls.worker_grace_s, least=0, most=86_400),
        )
        if read.launcher == "celery":
            _ = read.broker
        return read


def _broker(values: Mapping[str, str]) -> str | None:
    address = values.get("COLLECTION_BROKER_URL")
    if address is None:
        return None
    try:
        parts = urlsplit(address)
        is_address = parts.scheme in _BROKERS and is_host(parts.hostname or "") and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address:  # it is not repeated: it may hold a password
        raise PipelineError(
            "COLLECTION_BROKER_URL is not the address of a Redis; it looks like redis://:password@host:6379/0, or "
            "rediss:// with TLS."
        )
    return address
