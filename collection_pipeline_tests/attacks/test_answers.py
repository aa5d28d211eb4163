"""Answers that are too large, that never end, and that unpack to far more than was sent."""

from __future__ import annotations

import asyncio
import socket
import time
import tracemalloc
import zlib
from functools import cache

import pytest

from collection_pipeline.core.collecting.usage import AnswerLimits
from collection_pipeline.core.errors import Garbled, Oversized, SourceError, Transient
from collection_pipeline.sources.http import pooled_client, send
from collection_pipeline.sources.webhook import Outcome, post
from collection_pipeline_tests.attacks.misbehaving import HEAD, Talk, misbehaving
from collection_pipeline_tests.sources.asking import NOON

MB = 2**20
LIMITS = AnswerLimits(largest=4 * MB, deadline_s=1.0)
SLACK = 4 * MB
"""What reading may need beside the body itself: buffers, and a copy."""


def body_without_end(client: socket.socket, _request: bytes) -> None:
    client.sendall(HEAD + b"\r\n")
    while True:
        client.sendall(b"x" * MB)


def two_gigabytes_announced(client: socket.socket, _request: bytes) -> None:
    client.sendall(HEAD + b"Content-Length: 2147483648\r\n\r\n")
    while True:
        client.sendall(b" " * MB)


@cache
def gigabyte() -> bytes:
    """A gigabyte of zeros, packed into one megabyte."""
    packer = zlib.compressobj(9, wbits=31)
    return b"".join(packer.compress(bytes(MB)) for _ in range(1024)) + packer.flush()


def bomb(client: socket.socket, _request: bytes) -> None:
    packed = gigabyte()
    client.sendall(HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed) + packed)


def drip(client: socket.socket, _request: bytes) -> None:
    client.sendall(HEAD + b"Content-Length: 1000\r\n\r\n")
    for _ in range(100):
        client.sendall(b" ")
        time.sleep(0.1)


def dripping_headers(client: socket.socket, _request: bytes) -> None:
    client.sendall(HEAD)
    for number in range(100):
        client.sendall(b"X-%d: y\r\n" % number)
        time.sleep(0.1)


def headers_without_end(client: socket.socket, _request: bytes) -> None:
    client.sendall(HEAD)
    while True:
        client.sendall(b"X-Header: " + b"y" * 1000 + b"\r\n")


def silence(client: socket.socket, _request: bytes) -> None:
    client.recv(1)


def unasked_encoding(client: socket.socket, _request: bytes) -> None:
    client.sendall(HEAD + b"Content-Encoding: br\r\nContent-Length: 4\r\n\r\n\x1b\x00\x00\x00")


def broken_gzip(client: socket.socket, _request: bytes) -> None:
    client.sendall(HEAD + b"Content-Encoding: gzip\r\nContent-Length: 12\r\n\r\nnot a gzip!!")


def gzip_cut_off(client: socket.socket, _request: bytes) -> None:
    packed = zlib.compress(b"{}" * 1000, wbits=31)[:-9]
    client.sendall(HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed) + packed)


def a_redirect(client: socket.socket, _request: bytes) -> None:
    client.sendall(b"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n")


def ask(url: str, limits: AnswerLimits = LIMITS) -> int:
    """The status of one answer."""

    async def asking() -> int:
        async with pooled_client(url, read_timeout_s=30, limits=limits) as client:
            return (await send(client, client.build_request("GET", "/"), "The question")).status_code

    return asyncio.run(asking())


@pytest.mark.parametrize(
    ("talk", "kind", "is_tried_again"),
    [
        (body_without_end, Oversized, False),
        (two_gigabytes_announced, Oversized, False),
        (bomb, Oversized, False),
        (drip, Transient, True),
        (dripping_headers, Transient, True),
        (headers_without_end, Transient, True),
        (silence, Transient, True),
        (unasked_encoding, Garbled, True),
        (broken_gzip, Garbled, True),
        (gzip_cut_off, Garbled, True),
    ],
)
def test_an_answer_beyond_its_limits_is_an_error_and_memory_stays_flat(
    talk: Talk, kind: type[SourceError], is_tried_again: bool
) -> None:
    gigabyte()  # packed before anything is measured
    with misbehaving(talk) as url:
        tracemalloc.start()
        began = time.monotonic()
        with pytest.raises(kind, match="The question") as raised:
            ask(url)
        took, (_, peak) = time.monotonic() - began, tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert raised.value.retryable is is_tried_again
    assert took < 20
    assert peak < 2 * LIMITS.largest + SLACK


def test_an_answer_of_just_the_largest_size_is_read() -> None:
    def largest(client: socket.socket, _request: bytes) -> None:
        client.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % LIMITS.largest + b"x" * LIMITS.largest)

    with misbehaving(largest) as url:
        assert ask(url, AnswerLimits(LIMITS.largest, 30)) == 200
        with pytest.raises(Oversized):
            ask(url, AnswerLimits(LIMITS.largest - 1, 30))


def test_a_redirect_leads_nowhere() -> None:
    with misbehaving(a_redirect) as url:
        assert ask(url) == 302


@pytest.mark.parametrize("talk", [body_without_end, bomb])
def test_a_webhook_is_not_listened_to_beyond_its_status(talk: Talk) -> None:
    gigabyte()
    with misbehaving(talk) as url:
        tracemalloc.start()
        assert post(url, "text", NOON).outcome is Outcome.TAKEN
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < SLACK + 2 * MB


@pytest.mark.parametrize("talk", [dripping_headers, silence])
def test_a_webhook_that_never_ends_its_headers_holds_nothing_up(talk: Talk) -> None:
    with misbehaving(talk) as url:
        began = time.monotonic()
        delivery = post(url, "text", NOON, deadline_s=1.0)
        took = time.monotonic() - began
    assert delivery.outcome is Outcome.UNKNOWN
    assert took < 8
