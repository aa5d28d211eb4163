"""What every command needs: settings, the stores, and errors as one sentence."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec, TypeVar

import click
from psycopg.errors import InsufficientPrivilege
from sqlalchemy.exc import DBAPIError, OperationalError

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.full_disks import disk_full
from collection_pipeline.processes.running_services import Services
from collection_pipeline.settings.pipeline import Settings, simulated
from collection_pipeline.stores import open_store
from collection_pipeline.tables.server.database import first_line
from collection_pipeline.tables.store import Store

P = ParamSpec("P")
R = TypeVar("R")


@contextmanager
def stores() -> Iterator[tuple[Settings, Store]]:
    """The settings and the stores. The embedded database is started if need be, and left as it was found."""
    settings = Settings.from_mapping(os.environ)
    with open_store(settings) as store:
        yield settings, store


def errors_as_messages(command: Callable[P, R]) -> Callable[P, R]:
    """Makes a command end with one clear sentence and exit code 1 where it would end with a PipelineError."""

    @wraps(command)
    def told(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except PipelineError as error:
            sentence = str(error)
        except OSError as error:
            full = disk_full(error)
            if full is None:
                raise
            sentence = str(full)
        except DBAPIError as error:
            advice = _advice(error)
            if advice is None:
                raise
            # Its own text may hold the statement's values; the driver's first line does not.
            sentence = f"The database says: {first_line(error).rstrip('.')}. {advice}"
        click.echo(f"Error: {sentence}", err=True)
        sys.exit(1)

    return told


def _advice(error: DBAPIError) -> str | None:
    """What to do about a database that fails; None where the mistake is in our own statement."""
    if disk_full(error) is not None:
        return "Free some space on its disk, and try again; nothing of this was written."
    if isinstance(error.orig, InsufficientPrivilege):
        return "Use a login that may; docs/access.md says which."
    return "Try again once it answers." if isinstance(error, OperationalError) else None


def with_simulator(settings: Settings) -> Settings:
    """The same settings, asking the simulator that `up` has running if there are no credentials."""
    services = Services.read(settings.home)
    if not settings.is_simulated or services is None or not services.is_running:
        return settings
    return asking(settings, services.simulator_url)


def asking(settings: Settings, simulator_url: str | None) -> Settings:
    """The same settings, asking a simulator, where there is one, and sparing it as little as it needs."""
    return settings if simulator_url is None else Settings.from_mapping(simulated(os.environ, simulator_url))
