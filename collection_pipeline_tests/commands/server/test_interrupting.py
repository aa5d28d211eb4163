"""Ctrl-C, also where Python itself would lose it."""

import subprocess
import sys

SWALLOWED = """
import os, signal, time
from collection_pipeline.commands.server.interrupting import interruptible

class Swallows:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.1)

try:
    with interruptible(lambda: None):
        Swallows()
        time.sleep(20)
        print("went on")
except KeyboardInterrupt:
    print("interrupted")
"""


def test_an_interrupt_that_is_lost_while_an_object_is_cleared_away_is_raised_once_more() -> None:
    done = subprocess.run([sys.executable, "-c", SWALLOWED], capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout == "interrupted\n", done.stderr
    assert "Exception ignored" in done.stderr
