"""What `doctor` reports, and from which figures on something counts as wrong.

The rules are here; the figures are found by `collection-pipeline doctor`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

Fact = str | int | float | bool | None

CLOCK_WARNING_S = 2.0
CLOCK_FAULT_S = 60.0
"""The request rate and the leases go by the database's clock alone. Ours decides the vendor's day, when a paused
collection goes on, and the times of events: a minute is visible in all of them."""

DISK_WARNING_BYTES = 2 * 2**30
DISK_FAULT_BYTES = 256 * 2**20
"""Postgres stops when it cannot write its log, in segments of 16 MB; a large collection writes some hundred MB."""

CONNECTIONS_WARNING_SHARE = 0.8
"""Of what the server allows to everybody together; some are kept for superusers."""

LEAST_OPEN_FILES = 1_024

HEARTBEAT_FAULT_S = 120.0
"""Dagster's daemons give a sign every 30 s; Dagster itself calls them dead after half an hour."""


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    SKIPPED = "skipped"
    """It was not looked at: there is none, or something else is missing."""
    WARNING = "warning"
    """It works, but will not for long, or not well."""
    FAULT = "fault"
    """It does not work."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found. Holds no secret: people paste it."""

    check: str
    level: Level
    what: str
    advice: str | None = None
    """What to do; always there for a warning or a fault."""
    facts: Mapping[str, Fact] = field(default_factory=dict)
    """The figures behind it, with their units in their names."""


def ok(check: str, what: str, **facts: Fact) -> Finding:
    """Nothing is wrong."""
    return Finding(check, Level.OK, what, facts=facts)


def skipped(check: str, why: str, advice: str | None = None) -> Finding:
    """It was not looked at."""
    return Finding(check, Level.SKIPPED, why, advice)


def warning(check: str, what: str, advice: str, **facts: Fact) -> Finding:
    """It works, but will not for long, or not well."""
    return Finding(check, Level.WARNING, what, advice, facts)


def fault(check: str, what: str, advice: str, **facts: Fact) -> Finding:
    """It does not work."""
    return Finding(check, Level.FAULT, what, advice, facts)


def has_fault(findings: Iterable[Finding]) -> bool:
    """Whether anything does not work."""
    return any(finding.level is Level.FAULT for finding in findings)


def clock(ahead_s: float, uncertainty_s: float) -> Finding:
    """How far this machine's clock is ahead of the database's; behind it if negative."""
    facts: dict[str, Fact] = {"ahead_s": round(ahead_s, 3), "uncertainty_s": round(uncertainty_s, 3)}
    off_s = max(0.0, abs(ahead_s) - uncertainty_s)
    direction = "ahead of" if ahead_s > 0 else "behind"
    what = f"This machine's clock is {abs(ahead_s):.3f} s {direction} the database's (± {uncertainty_s:.3f} s)."
    advice = "Let NTP set the clocks of both machines (timedatectl set-ntp true)."
    if off_s >= CLOCK_FAULT_S:
        return fault("clock", what, advice, **facts)
    if off_s >= CLOCK_WARNING_S:
        return warning("clock", what, advice, **facts)
    return ok("clock", what, **facts)


def disk(name: str, place: str, free: int, total: int) -> Finding:
    """The room on the disk of a folder, in bytes."""
    check = f"disk: {name}"
    what = f"{_size(free)} of {_size(total)} are free at {place}."
    advice = "Free some space there, or move it to a larger disk; docs/data-policy.md says what is kept for how long."
    if free < DISK_FAULT_BYTES:
        return fault(check, what, advice, free_bytes=free, total_bytes=total)
    if free < DISK_WARNING_BYTES:
        return warning(check, what, advice, free_bytes=free, total_bytes=total)
    return ok(check, what, free_bytes=free, total_bytes=total)


def connections(used: int, allowed: int) -> Finding:
    """The connections to the Postgres server, everybody's."""
    what = f"{used} of {allowed} connections are in use."
    if used >= CONNECTIONS_WARNING_SHARE * allowed:
        advice = "Raise max_connections of the server, or run fewer workers."
        return warning("connections", what, advice, used=used, allowed=allowed)
    return ok("connections", what, used=used, allowed=allowed)


def open_files(allowed: int | None) -> Finding:
    """How many files and sockets a process may have open; None is without limit."""
    what = f"A process may have {'any number of' if allowed is None else allowed} files open."
    if allowed is not None and allowed < LEAST_OPEN_FILES:
        return warning(
            "open files", what, f"Raise it (ulimit -n {LEAST_OPEN_FILES}), or the feed refuses readers.", limit=allowed
        )
    return ok("open files", what, limit=allowed)


def quota(source: str, used: int, allowed: int | None, resets_at: datetime) -> Finding:
    """The calls of a vendor's present day."""
    check = f"quota: {source}"
    if allowed is None:
        return ok(check, f"{used} calls today; there is no quota.", used_calls=used)
    what = f"{used} of {allowed} calls of today are used; new ones from {resets_at:%Y-%m-%d %H:%M} UTC on."
    if used >= allowed:
        advice = "Paused collections go on by themselves then. A contract for more calls is set in COLLECTION_"
        return warning(check, what, f"{advice}{source.upper()}_CALLS_PER_DAY.", used_calls=used, allowed_calls=allowed)
    return ok(check, what, used_calls=used, allowed_calls=allowed)


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """One of Dagster's daemons, and its last sign of life, in seconds ago; None if it never gave one."""

    daemon: str
    is_required: bool
    age_s: float | None


def daemons(heartbeats: Collection[Heartbeat]) -> Finding:
    """Whether all of Dagster's daemons that the instance needs are alive."""
    required = [one for one in heartbeats if one.is_required]
    silent = sorted(one.daemon for one in required if one.age_s is None or one.age_s > HEARTBEAT_FAULT_S)
    ages = {f"{one.daemon}_age_s": None if one.age_s is None else round(one.age_s, 1) for one in required}
    if silent or not required:
        return fault(
            "dagster daemon",
            f"No sign of life for {HEARTBEAT_FAULT_S:.0f} s from {', '.join(silent) or 'any daemon'}.",
            "Without it no collection starts or goes on. Start it (`collection-pipeline up` does), or read its log.",
            **ages,
        )
    oldest = max(one.age_s or 0.0 for one in required)
    return ok("dagster daemon", f"{len(required)} daemons live; the oldest sign is {oldest:.0f} s old.", **ages)


def _size(size: int) -> str:
    return f"{size / 2**30:.1f} GB" if size >= 2**30 else f"{size / 2**20:.0f} MB"
