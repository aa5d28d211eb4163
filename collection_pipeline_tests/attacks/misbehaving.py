"""A server of the attacker's: it says over a socket whatever it is told to, byte by byte."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"

Talk = Callable[[socket.socket, bytes], None]
"""What it says to one client whose request it has read."""


@contextmanager
def misbehaving(talk: Talk) -> Iterator[str]:
    """The server's address, for as long as the block runs."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_serve, args=(server, talk), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        thread.join(10)


def _serve(server: socket.socket, talk: Talk) -> None:
    while True:
        try:
            client, _ = server.accept()
        except OSError:
            return
        threading.Thread(target=_answer, args=(client, talk), daemon=True).start()


def _answer(client: socket.socket, talk: Talk) -> None:
    with client, suppress(OSError):
        request = b""
        while b"\r\n\r\n" not in request:
            if not (part := client.recv(65536)):
                return
            request += part
        talk(client, request)
