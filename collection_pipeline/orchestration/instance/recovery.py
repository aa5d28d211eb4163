"""Failing runs whose processes are dead, so that their collections go on.

A run's launcher reports its end. Where the launcher died too, the run would be "started" for ever and keep its place in
the pool. Three remedies: a daemon that begins fails the runs of the session before it, run monitoring asks whether
their processes live, and a sensor fails runs that have given no sign of life for some minutes.
"""

from datetime import datetime

import dagster as dg

from collection_pipeline.orchestration.instance.run_process import RunProcess

IN_PROGRESS = [
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def fail_dead_runs(instance: dg.DagsterInstance, created_before: datetime) -> int:
    """Fails runs that an earlier session left in progress and that have no process; how many there were.

    Only for a storage that no other machine uses: what works there has no process here.
    """
    runs = instance.get_runs(dg.RunsFilter(statuses=IN_PROGRESS, created_before=created_before))
    dead = [run for run in runs if not _lives(run)]
    for run in dead:
        instance.report_run_failed(run, "Its process was gone when the services were started again.")
    return len(dead)


def _lives(run: dg.DagsterRun) -> bool:
    process = RunProcess.in_tags(run.tags)
    return process is not None and process.is_here and process.is_alive
