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
from collection_pipeline.settings.schedule import schedule_config
from collection_pipeline.settings.values import given

LIBRARIES = ("dagster", "dagster-postgres", "dagster-webserver", "sqlalchemy", "psycopg", "httpx")

SHOWN = frozenset(
    [
        "COLLECTION_HOME",
        "COLLECTION_ORG",
        "COLLECTION_CATALOGUE",
        "COLLECTION_INBOX",
        "COLLECTION_EXPORTS",
        "COLLECTION_LOG_FORMAT",
        "COLLECTION_UI_HOSTS",
        "COLLECTION_DAGSTER_URL",
        "COLLECTION_FEED_URL",
        "COLLECTION_FEED_CONTROL",
        "COLLECTION_SELLER_NAMES",
        "COLLECTION_EXPORT_NAMES",
        "COLLECTION_REMOVED_SELLERS",
        "COLLECTION_LIST_LIMIT_S",
        "COLLECTION_ANSWER_LIMIT_MB",
        "COLLECTION_ANSWER_DEADLINE_S",
        "COLLECTION_EBAY_REQUESTS_PER_S",
        "COLLECTION_EBAY_IN_FLIGHT",
        "COLLECTION_EBAY_CALLS_PER_DAY",
        "COLLECTION_OXYLABS_REQUESTS_PER_S",
        "COLLECTION_OXYLABS_IN_FLIGHT",
        "COLLECTION_OXYLABS_CALLS_PER_DAY",
        "COLLECTION_SCHEDULE_CRON",
        "COLLECTION_SCHEDULE_TIMEZONE",
        "COLLECTION_SCHEDULE_PRESET",
        "COLLECTION_SCHEDULE_CAP",
        "EBAY_API_URL",
        "EBAY_MARKETPLACE",
        "EBAY_SOURCE",
        "OXYLABS_URL",
    ]
)
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
