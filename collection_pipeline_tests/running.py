"""The product as people start it: `collection-pipeline up` in a process of its own, with commands beside it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg
from psycopg.rows import dict_row

from collection_pipeline.processes.running_services import free_port
from collection_pipeline_tests.conftest import REPOSITORY

COMMAND = str(Path(sys.executable).parent / "collection-pipeline")
STOPS_WITHIN_S = 150
"""On a busy machine each service may need the patience that `up` has with it."""

READY_WITHIN_S = 90


@dataclass
class Product:
    """A running product. Its database, logs and Dagster's files are all in `home`."""

    home: Path
    port: int
    feed_port: int
    environment: Mapping[str, str]
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def feed_url(self) -> str:
        return f"http://127.0.0.1:{self.feed_port}"

    def command(self, *words: str, timeout: float = 180) -> subprocess.CompletedProcess[str]:
        """Runs one command beside it, to its end."""
        return run_command(self.environment, *words, timeout=timeout)

    def rows(self, query: str) -> list[dict[str, Any]]:
        """What its tables answer. Asked directly: a command a second would take half a core from the product."""
        with psycopg.connect(self._database_url, row_factory=dict_row) as connection:
            return connection.execute(query.encode()).fetchall()

    def execute(self, statement: str) -> None:
        """Changes its tables behind its back."""
        with psycopg.connect(self._database_url) as connection:
            connection.execute(statement.encode())

    @cached_property
    def _database_url(self) -> str:
        return self.command("database", "url").stdout.strip()

    def graphql(self, query: str, **variables: Any) -> Any:
        """What Dagster's own API answers; the UI asks the same."""
        answer = httpx.post(f"{self.url}/graphql", json={"query": query, "variables": variables}, timeout=60).json()
        assert "errors" not in answer, answer
        return answer["data"]

    def launch(self, job: str, *, partition: str | None = None, tags: Mapping[str, str] | None = None) -> str:
        """Starts a run as the UI's launchpad does; its id."""
        all_tags = {**(tags or {}), **({"dagster/partition": partition} if partition else {})}
        answer = self.graphql(
            """
            mutation Launch($params: ExecutionParams!) {
              launchRun(executionParams: $params) {
                __typename
                ... on LaunchRunSuccess { run { runId } }
                ... on PythonError { message }
              }
            }
            """,
            params={
                "selector": {
                    "repositoryLocationName": "collection_pipeline",
                    "repositoryName": "__repository__",
                    "jobName": job,
                },
                "executionMetadata": {"tags": [{"key": key, "value": value} for key, value in all_tags.items()]},
            },
        )["launchRun"]
        assert answer["__typename"] == "LaunchRunSuccess", answer
        return str(answer["run"]["runId"])

    def processes(self) -> list[psutil.Process]:
        """Every process that belongs to it, its database's server included."""
        return processes_of(self.home)

    def interrupt(self) -> None:
        """Ctrl-C."""
        self.process.send_signal(signal.SIGINT)


def run_command(environment: Mapping[str, str], *words: str, timeout: float = 180) -> subprocess.CompletedProcess[str]:
    """Runs a command of ours to its end."""
    return subprocess.run(
        [COMMAND, *words],
        cwd=REPOSITORY,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def processes_of(home: Path) -> list[psutil.Process]:
    """Processes that were started with this home, or that run a server in it."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            is_ours = process.environ().get("COLLECTION_HOME") == str(home)
            is_server = Path(process.cwd()).is_relative_to(home.resolve())
            if is_ours or is_server or any(str(home) in word for word in process.cmdline()):
                found.append(process)
    return [process for process in found if process.pid != os.getpid()]


@contextmanager
def up(
    home: Path, environment: Mapping[str, str], *options: str, command: str = COMMAND, folder: Path = REPOSITORY
) -> Iterator[Product]:
    """The product, started in `folder`, once its UI answers. Stopped by Ctrl-C at the end, or killed."""
    port, feed_port = free_port(), free_port()
    environment = {**environment, "COLLECTION_HOME": str(home)}
    with (home / "up.log").open("wb") as log:
        process = subprocess.Popen(
            [command, "up", "--port", str(port), "--feed-port", str(feed_port), *options],
            cwd=folder,
            env={**os.environ, **environment},
            stdout=log,
            stderr=log,
        )
    product = Product(home, port, feed_port, environment, process)
    try:
        _await_ui(product)
        yield product
    finally:
        if process.poll() is None:
            product.interrupt()
            with suppress(subprocess.TimeoutExpired):
                process.wait(STOPS_WITHIN_S)
        for left in product.processes():
            left.kill()
        process.wait(10)  # a zombie would still count as a user of the database


def _await_ui(product: Product) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        assert product.process.poll() is None, (product.home / "up.log").read_text()
        with suppress(httpx.TransportError):
            if httpx.get(f"{product.url}/server_info", timeout=5).is_success:
                return
        time.sleep(0.2)
    raise AssertionError((product.home / "up.log").read_text())
