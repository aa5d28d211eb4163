"""Exports many rows in a process of its own and prints the peak of its memory in KiB: `python -m … csv 1000 file`."""

from __future__ import annotations

import sys
from pathlib import Path

from collection_pipeline.files.export import Format, write
from collection_pipeline_tests.files.samples import sellers

if __name__ == "__main__":
    write(sellers(int(sys.argv[2])), Path(sys.argv[3]), Format(sys.argv[1]))
    # Not getrusage: what it says includes the process that this one was forked from.
    status = Path("/proc/self/status").read_text()
    print(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))
