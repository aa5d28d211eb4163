"""The tables as sensors and schedules need them: opened by themselves, to say why they cannot be reached.

A resource that cannot be opened fails the tick before the sensor's own code runs.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import dagster as dg
import sqlalchemy as sa

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.settings import Settings
from collection_pipeline.tables.locating import application_database
from collection_pipeline.tables.store import Store, open_store

Look = dg.SensorResult | dg.SkipReason
"""What a sensor's look comes to."""


@contextmanager
def tables_of(settings: Settings) -> Iterator[Store]:
    """The stores, for as long as a look takes. Raises PipelineError if they cannot be reached."""
    with application_database(settings) as url, open_store(url, settings.limits, settings.naming) as store:
        yield store


def reaching(settings: Settings, look: Callable[[Store], Look]) -> Look:
    """What a sensor's look at the tables comes to; where they cannot be reached, a skip that moves no cursor."""
    try:
        with tables_of(settings) as store:
            return look(store)
    except PipelineError as error:
        return dg.SensorResult(skip_reason=str(error))
    except sa.exc.DBAPIError as error:
        return dg.SensorResult(skip_reason=f"The database failed ({type(error.orig).__name__}). It is tried again.")
