"""Basic credentials, as both vendors take them."""

from __future__ import annotations

import base64
import binascii


def is_client(header: str, expected: tuple[str, str] | None) -> bool:
    """Whether a Basic header carries the expected pair, or any whole one where none is expected."""
    kind, _, encoded = header.partition(" ")
    try:
        user, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return False
    return kind == "Basic" and bool(user and secret) and expected in (None, (user, secret))
