"""What `up` has running on this machine, or an address that was named: Dagster's UI, its daemon, the live page."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx

from collection_pipeline.core import health
from collection_pipeline.core.health import Finding, Heartbeat, fault, ok, skipped, warning
from collection_pipeline.processes.running_services import Services
from collection_pipeline.settings.pipeline import Settings

PATIENCE_S = 10.0

UI = "dagster ui"

_HEARTBEATS = "{ instance { daemonHealth { allDaemonStatuses { daemonType required lastHeartbeatTime } } } }"


def service_findings(settings: Settings, environment: Mapping[str, str]) -> Iterator[Finding]:
    """Dagster's home, UI and daemon, and the feed."""
    services = Services.read(settings.home)
    yield _home(settings.home, environment)
    if services is not None and not services.is_running:
        yield warning(
            "up",
            f"A `collection-pipeline up` in {settings.home} was killed; some of its processes may be left.",
            "Start it again: it stops what is left first.",
        )
        services = None
    dagster_url = services.dagster_url if services else environment.get("COLLECTION_DAGSTER_URL", "").strip()
    feed_url = services.feed_url if services else environment.get("COLLECTION_FEED_URL", "").strip()
    if not dagster_url:
        yield skipped(UI, f"`collection-pipeline up` does not run in {settings.home}.", "Start it to collect.")
    else:
        yield from _dagster(dagster_url.rstrip("/"))
    yield _feed(feed_url.rstrip("/")) if feed_url else skipped("feed", "The live page does not run here.")


def _home(home: Path, environment: Mapping[str, str]) -> Finding:
    named = environment.get("DAGSTER_HOME")
    folder = Path(named) if named else home / "dagster"
    check = "dagster home"
    if (folder / "dagster.yaml").exists():
        if os.access(folder, os.W_OK):
            return ok(check, f"{folder} has a dagster.yaml.", path=str(folder))
        return fault(check, f"{folder} cannot be written to.", "Run this as the user of `up`, or chown it.")
    if named:
        return fault(
            check, f"DAGSTER_HOME is {folder}, which has no dagster.yaml.", "Correct it, or unset it for `up`."
        )
    return skipped(check, f"{folder} is not there yet.", "`collection-pipeline up` makes it.")


def _dagster(url: str) -> Iterator[Finding]:
    try:
        answer = httpx.get(f"{url}/server_info", timeout=PATIENCE_S)
        theirs = answer.json()["dagster_version"]
    except httpx.HTTPError as error:
        yield fault(UI, f"{url} does not answer ({type(error).__name__}).", "Start it, or read its log; see `up`.")
        return
    except (ValueError, KeyError, TypeError):
        yield warning(
            UI,
            f"{url} answers, but not as Dagster's UI does (HTTP {answer.status_code}).",
            "Is there a proxy with a login in front? Then run this on the machine of the UI.",
        )
        return
    ours = version("dagster")
    if theirs != ours:
        yield warning(
            UI,
            f"{url} runs Dagster {theirs}, and this is {ours}.",
            "Install one version on all machines.",
            dagster=theirs,
        )
    else:
        yield ok(UI, f"Dagster {theirs} answers at {url}.", dagster=theirs)
    yield _daemon(url)


def _daemon(url: str) -> Finding:
    try:
        answer = httpx.post(f"{url}/graphql", json={"query": _HEARTBEATS}, timeout=PATIENCE_S)
        statuses: list[dict[str, Any]] = answer.json()["data"]["instance"]["daemonHealth"]["allDaemonStatuses"]
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        return fault(
            "dagster daemon",
            f"{url} does not say how it is ({type(error).__name__}).",
            "Read the log of the web server.",
        )
    now = time.time()
    return health.daemons(
        [
            Heartbeat(
                one["daemonType"],
                one["required"],
                None if one["lastHeartbeatTime"] is None else max(0.0, now - one["lastHeartbeatTime"]),
            )
            for one in statuses
        ]
    )


def _feed(url: str) -> Finding:
    try:
        answer = httpx.get(f"{url}/readyz", timeout=PATIENCE_S)
        checks: dict[str, str] = answer.json()["checks"]
    except httpx.HTTPError as error:
        return fault("feed", f"{url} does not answer ({type(error).__name__}).", "Start it, or read its log; see `up`.")
    except (ValueError, KeyError, TypeError):
        return warning(
            "feed",
            f"{url}/readyz answers, but not as the feed does (HTTP {answer.status_code}).",
            "Is it an older version, or a proxy with a login?",
        )
    if answer.is_success:
        return ok("feed", f"The live page at {url} is ready.")
    wrong = "; ".join(f"{name}: {found}" for name, found in checks.items() if found != "ok")
    return fault("feed", f"The live page at {url} is not ready: {wrong}", "Do what that says; its log has more.")
