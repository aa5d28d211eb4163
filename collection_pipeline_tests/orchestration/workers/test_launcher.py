"""Runs sent to workers: sent again when they are lost, stopped without a broker, lost with their worker."""

from __future__ import annotations

import dagster as dg
from dagster._core.launcher import WorkerStatus

from collection_pipeline.orchestration.workers.resending import send_lost
from collection_pipeline.tables.server.run_leases import RunLeases
from collection_pipeline_tests.orchestration.conftest import Pipeline
from collection_pipeline_tests.orchestration.workers.conftest import RedisServer, run_of, send, the_launcher


def look_twice(pipeline: Pipeline) -> int:
    """What the daemon does in ten seconds; how many messages there are then."""
    launcher = the_launcher(pipeline)
    waited = send_lost(pipeline.instance, launcher, frozenset())
    send_lost(pipeline.instance, launcher, waited)
    return launcher.messages_waiting()


def test_runs_whose_messages_are_gone_are_sent_again_once(pipeline: Pipeline, broker: RedisServer) -> None:
    for _ in range(2):
        send(pipeline)
    assert look_twice(pipeline) == 2  # as they were
    broker.client.flushall()
    assert look_twice(pipeline) == 2
    assert look_twice(pipeline) == 2


def test_a_run_that_a_worker_has_is_not_sent_again_before_its_lease_has_ended(
    pipeline: Pipeline, broker: RedisServer
) -> None:
    run_id = send(pipeline)
    broker.client.flushall()
    the_launcher(pipeline).leases.take(run_id, "w")
    assert look_twice(pipeline) == 0
    RunLeases(pipeline.store.engine, lease_s=-1).renew(run_id, "w")  # died before it had begun
    assert look_twice(pipeline) == 1


def test_a_run_waits_for_a_broker_that_is_away(pipeline: Pipeline, broker: RedisServer) -> None:
    broker.stop()
    run_id = send(pipeline)
    send_lost(pipeline.instance, the_launcher(pipeline), frozenset([run_id]))
    assert run_of(pipeline, run_id).status is dg.DagsterRunStatus.STARTING
    broker.start()
    assert look_twice(pipeline) == 1


def test_a_run_is_lost_with_its_lease(pipeline: Pipeline) -> None:
    launcher, run_id = the_launcher(pipeline), send(pipeline)
    launcher.leases.take(run_id, "w")
    assert launcher.check_run_worker_health(run_of(pipeline, run_id)).status is WorkerStatus.RUNNING
    RunLeases(pipeline.store.engine, lease_s=-1).renew(run_id, "w")
    assert launcher.check_run_worker_health(run_of(pipeline, run_id)).status is WorkerStatus.FAILED


def test_a_run_can_be_stopped_wherever_it_is(pipeline: Pipeline, broker: RedisServer) -> None:
    launcher, waiting, at_work = the_launcher(pipeline), send(pipeline), send(pipeline)
    launcher.leases.take(at_work, "w")
    broker.client.flushall()
    assert launcher.terminate(waiting)
    assert run_of(pipeline, waiting).status is dg.DagsterRunStatus.CANCELED
    assert launcher.terminate(at_work)
    assert run_of(pipeline, at_work).status is dg.DagsterRunStatus.CANCELING
    assert pipeline.rows("SELECT run_id FROM run_leases WHERE is_stopping") == [(at_work,)]
    assert not launcher.terminate(waiting)
