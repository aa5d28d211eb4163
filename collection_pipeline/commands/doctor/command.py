"""`collection-pipeline doctor`: looks at everything the pipeline needs, and says what is wrong and what to do."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime

import click

from collection_pipeline import __version__
from collection_pipeline.commands.doctor.broker import broker_findings
from collection_pipeline.commands.doctor.configuration import configuration_findings, version_finding
from collection_pipeline.commands.doctor.databases import database_findings
from collection_pipeline.commands.doctor.machine import machine_findings
from collection_pipeline.commands.doctor.marketplaces import marketplace_findings
from collection_pipeline.commands.doctor.secrecy import Secrecy
from collection_pipeline.commands.doctor.services import service_findings
from collection_pipeline.commands.session import errors_as_messages
from collection_pipeline.core.health import Finding, Level, has_fault
from collection_pipeline.settings.pipeline import Settings

_COLOURS = {Level.OK: "green", Level.SKIPPED: "bright_black", Level.WARNING: "yellow", Level.FAULT: "red"}


@click.command(short_help="Look whether everything works; exits 1 if not.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with the figures behind each finding.")
@click.option("--offline", is_flag=True, help="Do not ask the marketplaces whether they answer.")
@errors_as_messages
def doctor(*, as_json: bool, offline: bool) -> None:
    """Say what is configured, what answers, and what is wrong with it; exit 1 if something does not work.

    Nothing is changed, no call is made that a marketplace counts, and no secret is printed: the output can be pasted.

    Example: collection-pipeline doctor --json
    """
    secrecy = Secrecy.of(os.environ)
    found = [secrecy.keep(finding) for finding in findings(os.environ, is_offline=offline)]
    if as_json:
        _print_json(found)
    else:
        _print_lines(found)
    sys.exit(1 if has_fault(found) else 0)


def findings(environment: Mapping[str, str], *, is_offline: bool) -> Iterator[Finding]:
    """Every check in turn. What needs the settings is left out where they are wrong."""
    yield version_finding()
    configuration = list(configuration_findings(environment))
    yield from configuration
    if has_fault(configuration):
        return  # also because an address that was not checked may hold a password
    settings = Settings.from_mapping(environment)
    yield from database_findings(settings, environment)
    yield from marketplace_findings(settings, is_offline=is_offline)
    yield from broker_findings(environment)
    yield from service_findings(settings, environment)
    yield from machine_findings(settings)


def _print_lines(found: Iterable[Finding]) -> None:
    for finding in found:
        level = click.style(f"{finding.level:8}", fg=_COLOURS[finding.level])
        click.echo(f"{level} {finding.check:20} {finding.what}")
        if finding.advice is not None:
            click.echo(f"{'':8} {'':20} → {finding.advice}")


def _print_json(found: list[Finding]) -> None:
    report = {
        "healthy": not has_fault(found),
        "version": __version__,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "findings": [asdict(finding) for finding in found],
    }
    click.echo(json.dumps(report, indent=2, ensure_ascii=False))
