"""Sensors as the Dagster UI should show them."""

import inspect
from collections.abc import Callable
from typing import Any

import dagster as dg


def sensor(*, every_s: int, job: Any = None, is_on: bool = True) -> Callable[[Callable[..., Any]], dg.SensorDefinition]:
    """A sensor with its docstring as its description, which Dagster's own decorator does not show.

    `job` is what its run requests start; Dagster has no public type for an asset job.
    """
    status = dg.DefaultSensorStatus.RUNNING if is_on else dg.DefaultSensorStatus.STOPPED

    def define(look: Callable[..., Any]) -> dg.SensorDefinition:
        return dg.sensor(
            job=job, minimum_interval_seconds=every_s, default_status=status, description=inspect.getdoc(look)
        )(look)

    return define
