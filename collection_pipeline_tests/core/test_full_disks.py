import errno

import pytest

from collection_pipeline.core.errors import DiskFull
from collection_pipeline.core.full_disks import DATABASE_IS_FULL, disk_full


class DriverError(Exception):
    """As psycopg has it: the code of the server."""

    def __init__(self, sqlstate: str) -> None:
        self.sqlstate = sqlstate


class WrappedError(Exception):
    """As SQLAlchemy has it: the driver's error inside."""

    def __init__(self, orig: Exception) -> None:
        self.orig = orig


def caused(error: Exception) -> Exception:
    outer = RuntimeError("something failed")
    outer.__cause__ = error
    return outer


NO_SPACE = OSError(errno.ENOSPC, "No space left on device", "/home/of/it/file")
DATABASE = DriverError("53100")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (NO_SPACE, "/home/of/it/file"),
        (OSError(errno.EDQUOT, "Quota exceeded"), "this machine"),
        (DATABASE, DATABASE_IS_FULL),
        (WrappedError(DATABASE), DATABASE_IS_FULL),
        (caused(WrappedError(DATABASE)), DATABASE_IS_FULL),
        (ExceptionGroup("workers", [ValueError(), caused(NO_SPACE)]), "/home/of/it/file"),
        (DiskFull("said already"), "said already"),
    ],
)
def test_a_full_disk_is_found_in_whatever_it_comes_wrapped(error: Exception, said: str) -> None:
    assert said in str(disk_full(error))


@pytest.mark.parametrize("error", [ValueError("no"), OSError(errno.EACCES, "no"), DriverError("40001")])
def test_nothing_else_is_a_full_disk(error: Exception) -> None:
    assert disk_full(error) is None


def test_errors_that_cause_each_other_are_read_once() -> None:
    one, other = RuntimeError("one"), RuntimeError("other")
    one.__cause__, other.__cause__ = other, one
    assert disk_full(one) is None
