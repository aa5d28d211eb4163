"""Failing runs whose processes cannot live any more, so that their collections go on.

Dagster's default launcher learns of a run's death from the code server that started it. Where that died too, the run
would be "started" for ever and keep its place in the pool. Two remedies: `up` fails everything that is called running
before it starts Dagster, and a sensor fails runs that have given no sign of life for some minutes.
"""

import dagster as dg

IN_PROGRESS = [
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def fail_dead_runs(instance: dg.DagsterInstance) -> int:
    """Fails every run that is called in progress; how many there were. Only where no process of any run can live."""
    dead = instance.get_runs(dg.RunsFilter(statuses=IN_PROGRESS))
    for run in dead:
        instance.report_run_failed(run, "Its process was gone when the services were started again.")
    return len(dead)


if __name__ == "__main__":
    with dg.DagsterInstance.get() as dagster:
        print(fail_dead_runs(dagster))
