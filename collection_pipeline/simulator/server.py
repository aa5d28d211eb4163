"""The server: the app over real HTTP, for as long as a block runs or until it is interrupted."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from typing import Any

import httpx
import uvicorn

from collection_pipeline.simulator.app import build_app
from collection_pipeline.simulator.config import SimulatorConfig
from collection_pipeline.simulator.faults import Fault
from collection_pipeline.simulator.state import Simulator

START_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class RunningSimulator:
    """A simulator that answers at `url` now. `simulator` is its state; prefer the methods, which ask over HTTP."""

    url: str
    simulator: Simulator
    _control: httpx.Client = field(repr=False)

    @property
    def oxylabs_url(self) -> str:
        """What OXYLABS_URL has to be (Realtime)."""
        return f"{self.url}/oxylabs"

    @property
    def oxylabs_data_url(self) -> str:
        """The same for Push-Pull."""
        return f"{self.url}/oxylabs-data"

    @property
    def ebay_url(self) -> str:
        """What EBAY_API_URL has to be."""
        return f"{self.url}/ebay"

    def stats(self) -> dict[str, Any]:
        """Requests, refusals, concurrency and rates so far."""
        return self._ask("GET", "stats")

    def truth(self, *nodes: str, **collection: Any) -> dict[str, Any]:
        """What a perfect collection of these nodes would find; low, high, max_pages and limit say how it searches."""
        return self._ask("GET", "truth", params={"node": nodes, **collection})

    def set_faults(self, *faults: Fault | str) -> None:
        """Switches exactly these faults on; none switches all off."""
        self._ask("POST", "faults", json=[fault if isinstance(fault, str) else asdict(fault) for fault in faults])

    def configure(self, **changes: Any) -> None:
        """Changes how it behaves; see RUNTIME_FIELDS."""
        self._ask("POST", "config", json=changes)

    def reset(self) -> None:
        """Forgets statistics, quotas and tokens."""
        self._ask("POST", "reset")

    def _ask(self, method: str, name: str, **request: Any) -> dict[str, Any]:
        response = self._control.request(method, f"/_control/{name}", **request)
        body: dict[str, Any] = response.json()
        if response.status_code != 200:
            raise ValueError(body["error"])
        return body


@contextmanager
def running(config: SimulatorConfig | None = None, port: int = 0) -> Iterator[RunningSimulator]:
    """Runs a simulator on 127.0.0.1 in a thread of this process; port 0 takes a free one. Leaves nothing behind."""
    app = build_app(config or SimulatorConfig())
    with _listening("127.0.0.1", port) as listener:
        server = uvicorn.Server(_settings(app))
        thread = threading.Thread(target=server.run, args=([listener],), name="simulator", daemon=True)
        thread.start()
        try:
            _wait_until_started(server, thread)
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            with httpx.Client(base_url=url, timeout=60, trust_env=False) as control:
                yield RunningSimulator(url, app.state.simulator, control)
        finally:
            server.should_exit = True
            thread.join()


def serve(config: SimulatorConfig, host: str = "127.0.0.1", port: int = 8765) -> None:
    """Runs a simulator until it is interrupted. Raises OSError where the port is taken."""
    # uvicorn raises the interrupt once more when it has stopped cleanly.
    with _listening(host, port) as listener, suppress(KeyboardInterrupt):
        uvicorn.Server(_settings(build_app(config))).run([listener])


def _listening(host: str, port: int) -> socket.socket:
    """A bound socket: bound before the server starts, so that a taken port raises here and a free one is known."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener


def _settings(app: Any) -> uvicorn.Config:
    # Without uvicorn's own log: a dropped connection is an error there and a feature here. Without its Date and Server
    # headers: neither vendor's name for itself is uvicorn, and an Oxylabs 401 has no date.
    return uvicorn.Config(
        app,
        log_config=None,
        log_level="critical",
        access_log=False,
        lifespan="off",
        date_header=False,
        server_header=False,
        timeout_graceful_shutdown=1,
        backlog=2048,
    )


def _wait_until_started(server: uvicorn.Server, thread: threading.Thread) -> None:
    ticks: Sequence[None] = [None] * round(START_TIMEOUT_S / 0.005)
    for _ in ticks:
        if server.started:
            return
        if not thread.is_alive():
            break
        thread.join(0.005)
    raise RuntimeError("The simulator did not start.")
