"""A webhook on a real port, that answers as a test wants and remembers what it was sent."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Hook:
    """`status` None breaks the connection after the message was read."""

    url: str = ""
    status: int | None = 200
    headers: dict[str, str] = field(default_factory=dict)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    calls: int = 0
    delay: threading.Event | None = None

    @property
    def texts(self) -> list[str]:
        """The messages that it took."""
        return [str(body["text"]) for body in self.bodies]


@contextmanager
def listening() -> Iterator[Hook]:
    """A webhook, for as long as the block runs."""
    hook = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            hook.calls += 1
            if hook.delay is not None:
                hook.delay.wait(5)
            if hook.status is None:
                self.connection.close()
                return
            if hook.status == 200:
                hook.bodies.append(body)
            self.send_response(hook.status)
            for name, value in hook.headers.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    hook.url = f"http://127.0.0.1:{server.server_port}/services/s3cret"
    try:
        yield hook
    finally:
        server.shutdown()
        server.server_close()
