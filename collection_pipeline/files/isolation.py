"""A process of its own for every file that is read, so that no file can stop, fill or delay this one.

The reader inherits nothing but the open file: no environment, in which credentials may stand, no other descriptors and
no terminal. What it may take is in `limits`; the time and the size of its answer are watched from here.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import asdict

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.sellers.import_plan import ImportRow
from collection_pipeline.files import limits
from collection_pipeline.files.limits import TOO_MUCH_MEMORY, TOO_MUCH_TEXT, TOO_SLOW
from collection_pipeline.files.mapping import ColumnMapping
from collection_pipeline.files.parsing import Sheet
from collection_pipeline.files.raw import UnreadableFile

_COMMAND = (sys.executable, "-I", "-B", "-m", "collection_pipeline.files.reader")
_CHUNK = 1 << 20
_LONGEST_REASON = 2_000

_DEATHS = {
    # Calamine aborts where it gets no memory; SIGKILL is the kernel's way to end what takes too much of it.
    -signal.SIGABRT: TOO_MUCH_MEMORY,
    -signal.SIGKILL: TOO_MUCH_MEMORY,
}


class NoReader(PipelineError):
    """No process could be started to read a file with: the file is not to blame, and can be read later."""

    kind = "no_reader"


def parsed_apart(file: int, suffix: str, mapping: ColumnMapping, sheet: str | None) -> Sheet:
    """What `parsing.parsed` makes of an open file, in a process of its own.

    Raises UnreadableFile for what it refuses, and for a file whose reader takes too much or dies; NoReader if there is
    no reader to be had.
    """
    request = json.dumps({"suffix": suffix, "mapping": asdict(mapping), "sheet": sheet})
    with closing(_answer(file, request)) as chunks:
        answers = map(json.loads, _lines(chunks))
        columns = next(answers, None)
        if isinstance(columns, dict):
            raise UnreadableFile(columns["refused"][:_LONGEST_REASON])
        return Sheet(tuple(columns or ()), tuple(ImportRow(*row) for row in answers))


def _lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    begun: list[bytes] = []
    for chunk in chunks:
        *ends, rest = chunk.split(b"\n")
        for end in ends:
            yield b"".join([*begun, end])
            begun.clear()
        begun.append(rest)


def _answer(file: int, request: str) -> Generator[bytes]:
    """What the reader writes, as it comes. It is gone when this ends, however it ends."""
    deadline = time.monotonic() + limits.TIME_S
    try:
        process = subprocess.Popen(
            [*_COMMAND, request],
            stdin=file,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},
            cwd="/",
            start_new_session=True,
        )
    except OSError as error:
        raise NoReader(f"No process can be started to read files with: {error.strerror}. Try again.") from error
    with process:
        try:
            assert process.stdout is not None, "it was asked for"
            yield from _watched(process.stdout.fileno(), deadline)
            code = process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired as error:
            raise UnreadableFile(TOO_SLOW) from error
        finally:
            process.kill()
    if code != 0:
        raise UnreadableFile(_DEATHS.get(code, _died(f"by itself, code {code}")))


def _watched(pipe: int, deadline: float) -> Iterator[bytes]:
    size = 0
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while True:
            if not selector.select(max(0.0, deadline - time.monotonic())):
                raise UnreadableFile(TOO_SLOW)
            chunk = os.read(pipe, _CHUNK)
            if not chunk:
                return
            size += len(chunk)
            if size > limits.ANSWER_BYTES:
                raise UnreadableFile(TOO_MUCH_TEXT)
            yield chunk


def _died(how: str) -> str:
    return f"Its reader ended {how}; open it in a spreadsheet and save it as CSV in UTF-8."
