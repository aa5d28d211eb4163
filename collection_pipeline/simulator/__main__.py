"""The simulator from a command line: `python -m collection_pipeline.simulator`, or `collection-pipeline simulate`."""

from __future__ import annotations

import sys
from dataclasses import fields
from typing import Any

import click

from collection_pipeline.simulator.config import SimulatorConfig
from collection_pipeline.simulator.faults import FAULTS, Fault
from collection_pipeline.simulator.server import serve

DEFAULT_PORT = 8765


@click.command(context_settings={"help_option_names": ["-h", "--help"]}, epilog=f"Faults: {', '.join(FAULTS)}.")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(1, 65535), default=DEFAULT_PORT, show_default=True)
@click.option(
    "--day",
    type=click.IntRange(0, 3650),
    default=0,
    show_default=True,
    help="Days since the marketplace opened: sellers and listings come and go, prices change, best sellers move.",
)
@click.option(
    "--fault", "faults", multiple=True, help="A fault, or one for a share of requests: ebay.server_error=0.1."
)
@click.option(
    "--set", "values", multiple=True, help="A field of SimulatorConfig: --set seed=7 --set ebay_latency_s=0.5."
)
def main(host: str, port: int, day: int, faults: tuple[str, ...], values: tuple[str, ...]) -> None:
    """Answer as Oxylabs (/oxylabs) and as eBay (/ebay) do, until Ctrl-C. What it was asked: /_control/stats.

    The same seed and day are the same marketplace. POST {"day": 30} to /_control/config turns to another day while it
    runs; /_control/truth?node=172541 says what there is to find. `collection-pipeline up` starts it a week later for
    each collection that its database has completed.

    Example: collection-pipeline simulate --port 8900 --set seed=7 --fault ebay.server_error=0.1
    """
    try:
        config = SimulatorConfig(**{"day": day, **_fields(values)}, faults=tuple(map(_fault, faults)))
        click.echo(f"OXYLABS_URL=http://{host}:{port}/oxylabs EBAY_API_URL=http://{host}:{port}/ebay")
        serve(config, host, port)
    except (ValueError, OSError) as error:
        click.echo(f"Error: {_sentence(error, host, port)}", err=True)
        sys.exit(1)


def _sentence(error: Exception, host: str, port: int) -> str:
    if isinstance(error, OSError | UnicodeError):  # a taken port, or a host that is none
        return (
            f"The simulator cannot listen on {host[:80]!r}, port {port}: {getattr(error, 'strerror', None) or error}."
        )
    return str(error)


def _fields(values: tuple[str, ...]) -> dict[str, Any]:
    known = {field.name for field in fields(SimulatorConfig)} - {"faults", "unknown_nodes"}
    chosen: dict[str, Any] = {}
    for value in values:
        name, _, figure = value.partition("=")
        if name not in known:
            raise ValueError(f"There is no setting {name!r}. There are: {', '.join(sorted(known))}.")
        chosen[name] = _figure(figure)
    return chosen


def _figure(figure: str) -> int | float | bool | str:
    for read in (int, float):
        try:
            return read(figure)
        except ValueError:
            continue
    return {"true": True, "false": False}.get(figure.lower(), figure)


def _fault(text: str) -> Fault:
    name, _, share = text.partition("=")
    try:
        return Fault(name, share=float(share)) if share else Fault(name)
    except ValueError as error:
        raise ValueError(f"--fault {text[:80]}: {error}") from None


if __name__ == "__main__":
    main()
