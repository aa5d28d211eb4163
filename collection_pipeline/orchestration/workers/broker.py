"""The broker between the control plane and its workers: Redis, through Celery.

A message is a run's id and nothing else. That it may come twice, late or never is nobody's loss: a run is leased before
it is worked on (tables/server/run_leases.py), and one that nobody has and no message is under way for is sent again.
"""

from typing import Any

from celery import Celery
from dagster_celery.make_app import make_app

from collection_pipeline.orchestration.workers.code_version import code_version

TASK = "collection_pipeline.execute_run"

RUNS_PER_CHILD = 50
"""Then a worker's process is replaced by a fresh one, and what its runs left in memory is gone."""

ANSWERS_WITHIN_S = 3
"""How long the broker may take to answer before it counts as away; longer than the second that an idle worker waits."""

_CONFIG = {
    # A message is the broker's until its run has ended: that of a worker that dies is delivered to another one.
    "task_acks_late": True,
    "worker_prefetch_multiplier": 1,
    "worker_max_tasks_per_child": RUNS_PER_CHILD,
    "task_ignore_result": True,  # what becomes of a run, the tables and Dagster know
    "worker_enable_remote_control": False,
    "worker_cancel_long_running_tasks_on_connection_loss": False,
    "worker_enable_prefetch_count_reduction": False,
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,  # a worker waits for its broker for as long as it takes
    "task_publish_retry_policy": {"max_retries": 1, "interval_start": 0.2},
    "accept_content": ["json"],
    "worker_redirect_stdouts": False,  # what a run prints is not the worker's to log
    "broker_transport_options": {
        "socket_connect_timeout": ANSWERS_WITHIN_S,
        "socket_timeout": ANSWERS_WITHIN_S,
        "socket_keepalive": True,
        "health_check_interval": 5,
    },
}


def queue_name() -> str:
    """The queue of this code's version: no worker takes a run that was started by another one."""
    return f"collection_pipeline.{code_version()}"


def app_arguments(broker_url: str) -> dict[str, Any]:
    """How both sides make the Celery application."""
    return {"broker": broker_url, "config_source": _CONFIG, "default_queue": queue_name()}


def worker_app(broker_url: str) -> Celery:
    """The application of a worker."""
    app = make_app(  # type: ignore[no-untyped-call]
        {"broker": broker_url, "config_source": _CONFIG, "task_default_queue": queue_name()}
    )
    assert isinstance(app, Celery)
    return app


def messages_waiting(app: Celery) -> int:
    """How many messages no worker has taken yet. Raises kombu's OperationalError where the broker does not answer."""
    with app.connection_for_write() as connection:
        connection.ensure_connection(max_retries=1, interval_start=0.2, timeout=2 * ANSWERS_WITHIN_S)
        with connection.channel() as channel:
            return int(channel.queue_declare(queue_name()).message_count)
