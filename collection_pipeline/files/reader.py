"""The process that reads one file: `python -I -m collection_pipeline.files.reader REQUEST`, the file being its input.

It answers with lines of JSON: the columns and then each row, or one object that says why the file is refused.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from operator import attrgetter

from collection_pipeline.core.sellers.import_plan import ImportRow
from collection_pipeline.files.limits import TOO_MUCH_MEMORY, restrict_this_process
from collection_pipeline.files.mapping import ColumnMapping
from collection_pipeline.files.parsing import Sheet, parsed
from collection_pipeline.files.raw import LARGEST_FILE, UnreadableFile

_fields = attrgetter(*ImportRow.__dataclass_fields__)


def main() -> None:
    """Reads standard input under the limits of `limits`, and writes the answer to standard output."""
    restrict_this_process()
    request = json.loads(sys.argv[1])
    content = sys.stdin.buffer.read(LARGEST_FILE + 1)
    try:
        sheet = parsed(content, request["suffix"], ColumnMapping(**request["mapping"]), request["sheet"])
        answer = _lines(sheet)
    except UnreadableFile as error:
        answer = iter([{"refused": str(error)}])
    except MemoryError:
        answer = iter([{"refused": TOO_MUCH_MEMORY}])
    encode = json.JSONEncoder(ensure_ascii=False).encode
    for line in answer:
        # Half characters can stand in the name of a column; the parent takes them as they are.
        sys.stdout.buffer.write(f"{encode(line)}\n".encode("utf-8", "surrogatepass"))
    sys.stdout.buffer.flush()


def _lines(sheet: Sheet) -> Iterator[object]:
    yield list(sheet.columns)
    yield from map(_fields, sheet.rows)


if __name__ == "__main__":
    main()
