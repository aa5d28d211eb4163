"""The app over real HTTP, until it is interrupted or told to stop."""

from __future__ import annotations

import socket
from contextlib import suppress

import uvicorn

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.feed.access import FeedConfig
from collection_pipeline.feed.app import build_app
from collection_pipeline.tables.store import Store


class FeedServer(uvicorn.Server):
    """A server that sends its readers away first when it stops; uvicorn would wait for them to go by themselves."""

    def __init__(self, config: FeedConfig, store: Store) -> None:
        app = build_app(config, store)
        self._hub = app.state.hub
        # No access log: addresses may hold the token.
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                log_level="warning",
                access_log=False,
                lifespan="on",
                ws="none",
                server_header=False,
                timeout_graceful_shutdown=2,
                backlog=2048,
            )
        )

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Ends the streams, then everything else."""
        self._hub.close()
        await super().shutdown(sockets)


def serve(config: FeedConfig, store: Store) -> None:
    """Runs the server until it is interrupted. Raises PipelineError where the port is taken."""
    # uvicorn raises the interrupt once more when it has stopped cleanly.
    with listening(config.host, config.port) as listener, suppress(KeyboardInterrupt):
        FeedServer(config, store).run([listener])


def listening(host: str, port: int) -> socket.socket:
    """A bound socket: bound before the server starts, so that a taken port is one clear sentence."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except (OSError, UnicodeError, OverflowError) as error:
        why = getattr(error, "strerror", None) or error
        raise PipelineError(
            f"The feed cannot listen on {host[:80]}:{port} ({why}). Stop what does, or choose another --port."
        ) from None
