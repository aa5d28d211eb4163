"""What is configured, and which versions run."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version

from collection_pipeline import __version__
from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.health import Fact, Finding, fault, ok
from collection_pipeline.feed.access import DEFAULT_HOST, DEFAULT_PORT, FeedConfig
from collection_pipeline.settings.alerts import AlertSettings
from collection_pipeline.settings.pipeline import Settings, wants_json
from collection_pipeline.settings.reference import SECTIONS
from collection_pipeline.settings.runs import RunSettings
from collection_pipeline.settings.schedule import schedule_config
from collection_pipeline.settings.values import given

LIBRARIES = ("dagster", "dagster-postgres", "dagster-webserver", "sqlalchemy", "psycopg", "httpx")

SHOWN = frozenset(setting.name for settings in SECTIONS.values() for setting in settings if not setting.is_secret)
"""Settings whose value is printed. Of all others only that they are set: a secret under a misspelt name is one, too."""


def version_finding() -> Finding:
    """Ours, Dagster's and Python's versions."""
    versions: dict[str, Fact] = {"collection_pipeline": __version__, "python": platform.python_version()}
    versions |= {library: _version(library) for library in LIBRARIES}
    shown = ", ".join(f"{name} {number or 'missing'}" for name, number in versions.items())
    missing = [name for name, number in versions.items() if number is None]
    if missing:
        return fault("versions", f"{shown}.", "Install what is missing: pip install -r requirements.lock.", **versions)
    return ok("versions", f"{shown}; {platform.platform()}.", **versions, platform=platform.platform())


def _version(library: str) -> str | None:
    try:
        return version(library)
    except PackageNotFoundError:
        return None


def configuration_findings(environment: Mapping[str, str]) -> Iterator[Finding]:
    """Which settings are given, and whether every part of the product can read its own."""
    readers: dict[str, Callable[[], object]] = {
        "settings": lambda: Settings.from_mapping(environment),
        "settings: feed": lambda: FeedConfig.from_mapping(environment, DEFAULT_HOST, DEFAULT_PORT, ""),
        "settings: alerts": lambda: AlertSettings.from_mapping(environment),
        "settings: runs": lambda: RunSettings.from_mapping(environment),
        "settings: schedule": lambda: schedule_config(environment),
        "settings: logs": lambda: wants_json(environment),
    }
    wrong = list(_wrong(readers))
    if wrong:
        yield from wrong
        return
    values = {name: _shown(name, value) for name, value in sorted(given(environment).items())}
    if not values:
        yield ok("settings", "None is given; all have their defaults (docs/settings.md).")
        return
    listed = ", ".join(f"{name}={value}" for name, value in values.items())
    yield ok("settings", f"{listed}; all others have their defaults.", **values)


def _wrong(readers: Mapping[str, Callable[[], object]]) -> Iterator[Finding]:
    for check, read in readers.items():
        try:
            read()
        except PipelineError as error:
            yield fault(check, str(error), "Correct it; docs/settings.md says what each setting may be.")


def _shown(name: str, value: str) -> str:
    return value if name in SHOWN else "(set)"
