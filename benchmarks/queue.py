"""Ten thousand categories planned at once: how long do the sensors take, and how many runs go through the queue?

Each category has one product and the marketplace answers at once, so a run is little more than what Dagster and the
product do around it.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path

import click
import sqlalchemy as sa
import yaml

from benchmarks.collection import COMMAND, marketplace, product
from collection_pipeline.tables.server.database import create_engine


def _catalogue(file: Path, count: int) -> None:
    categories = [{"key": f"planned-{n:05}", "name": f"Planned {n}", "node": str(50_000_000 + n)} for n in range(count)]
    preset = {
        "key": "planned",
        "name": "Planned",
        "description": "All at once.",
        "categories": [category["key"] for category in categories],
    }
    content = {
        "departments": [{"key": "planned", "name": "Planned", "categories": categories}],
        "presets": [preset],
    }
    file.write_text(yaml.safe_dump(content, allow_unicode=True))


@click.command()
@click.option("--planned", default=10_000, show_default=True, help="Categories planned at once.")
@click.option("--seconds", default=60, show_default=True, help="How long is looked at.")
def main(planned: int, seconds: int) -> None:
    """Prints runs a second, and the longest tick of the two sensors that look after collections."""
    with (
        marketplace("products_per_page=1", "pages=1", "ebay_latency_s=0", "amazon_latency_s=0") as url,
        product(url, 500) as running,
    ):
        file = running.home / "planned.yaml"
        _catalogue(file, planned)
        environment = {**os.environ, **running.environment, "COLLECTION_OXYLABS_REQUESTS_PER_S": "500"}
        for words in (["catalogue", "load", str(file)], ["collect", "--preset", "planned"]):
            subprocess.run([COMMAND, *words], env=environment, check=True, stdout=subprocess.DEVNULL)
        time.sleep(20)  # the first ticks create ten thousand partitions
        before = running.value("SELECT count(*) FROM collection_categories WHERE status = 'done'")
        time.sleep(seconds)
        done = running.value("SELECT count(*) FROM collection_categories WHERE status = 'done'") - before
        print(f"| runs through the queue, of {planned} planned | {done / seconds:.1f} a second |")
        for name, longest in _longest_ticks(environment["COLLECTION_DAGSTER_DATABASE_URL"], seconds):
            print(f"| longest tick of {name} | {longest:.2f} s |")


def _longest_ticks(dagster_url: str, seconds: int) -> list[tuple[str, float]]:
    engine = create_engine(sa.make_url(dagster_url))
    query = sa.text(
        "SELECT tick_body FROM job_ticks WHERE timestamp > now() AT TIME ZONE 'UTC' - make_interval(secs => :s)"
    )
    with engine.connect() as connection:
        ticks = [json.loads(body) for body in connection.scalars(query, {"s": seconds})]
    engine.dispose()
    longest: dict[str, float] = {}
    for tick in ticks:
        name, ended = tick["job_name"], tick.get("end_timestamp")
        if ended and name in ("start_collections", "finish_collections"):
            longest[name] = max(longest.get(name, 0.0), ended - tick["timestamp"])
    return sorted(longest.items())


if __name__ == "__main__":
    main()
