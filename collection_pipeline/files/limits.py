"""What reading one file may take, and how the process that reads it holds itself to that.

A reader's own checks cannot be relied on: whoever makes a file decides what its header says. So these limits are the
operating system's.
"""

from __future__ import annotations

import resource
from contextlib import suppress
from pathlib import Path

MEMORY_BYTES = 2 * 1024**3
"""Three times what the largest files that are allowed take, with 16 columns; a wide sheet of 20 million cells fits too.

macOS ignores this limit as often as not; there the time is what ends a reader that grows.
"""

TIME_S = 45
"""Six times what the largest workbook takes. Dagster gives up on a sensor's look after 60 seconds."""

ANSWER_BYTES = 128 * 1024 * 1024
"""More than twice what a text file of the largest size says; a workbook's few bytes may unpack to any number."""

TOO_MUCH_MEMORY = f"Reading it takes more than {MEMORY_BYTES >> 20:,} MB of memory; split it, or save it as CSV."
TOO_SLOW = f"Reading it takes longer than {TIME_S} seconds; split it, or save it as CSV."
TOO_MUCH_TEXT = f"It unpacks to more than {ANSWER_BYTES >> 20} MB of text; split it."


def restrict_this_process() -> None:
    """Applies the limits to the process that calls this, for good. It can write no file from then on."""
    with suppress(OSError):  # Linux: where memory runs out before the limit, this process goes and no other
        Path("/proc/self/oom_score_adj").write_text("1000")
    for what, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, TIME_S + 5),  # for when the parent is gone and nobody watches the clock
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
    ):
        _, hard = resource.getrlimit(what)
        wanted = most if hard == resource.RLIM_INFINITY else min(most, hard)
        with suppress(OSError, ValueError):  # what a platform does not know
            resource.setrlimit(what, (wanted, wanted))
