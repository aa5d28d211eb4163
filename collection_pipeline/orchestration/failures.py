"""Errors that people can act on, as Dagster shows them: one sentence, without a traceback and without a retry."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
import sqlalchemy as sa

from collection_pipeline.core.errors import PipelineError, SourceError
from collection_pipeline.core.full_disks import disk_full


def dagster_failure(error: PipelineError) -> dg.Failure:
    """The error as Dagster shows it. Nothing is retried: whatever deserved another attempt has had it."""
    facts = {"kind": error.kind}
    if isinstance(error, SourceError):
        facts |= {"stage": error.stage, "url": error.url or "–"}
    return dg.Failure(description=str(error), metadata=facts, allow_retries=False)


@contextmanager
def errors_as_failures() -> Iterator[None]:
    """Raises a PipelineError, and a full disk in whatever error it comes wrapped, as the Failure that people read."""
    try:
        yield
    except PipelineError as error:
        raise dagster_failure(error) from None
    except (sa.exc.DBAPIError, OSError) as error:
        full = disk_full(error)
        if full is None:
            raise
        raise dagster_failure(full) from None
