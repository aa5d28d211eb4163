"""Telling a source that stumbles from one that is away: by its last replies, whichever worker got them."""

from __future__ import annotations

from dataclasses import dataclass

from collection_pipeline.core.errors import FailuresInARow, SourceError

FAILURES_THAT_PAUSE = 15
"""Failed replies in a row that mean that the source is away: three of each of five workers, within seconds.

A source that fails one request in three gives so many once in 3**15, fourteen million replies.
"""


@dataclass
class ReplyStreak:
    """Counts the failures since the source's last good reply. One for all workers of a run."""

    failures: int = 0
    last: SourceError | None = None

    def succeeded(self) -> None:
        """A reply came that was what was asked for."""
        self.failures = 0

    def failed(self, error: SourceError) -> None:
        """A request failed, or its reply was of no use."""
        self.failures += 1
        self.last = error

    @property
    def failure(self) -> FailuresInARow | None:
        """The error that the source is away, once there is no doubt."""
        if self.failures < FAILURES_THAT_PAUSE or self.last is None:
            return None
        said = f"The last {self.failures} replies were failures, the last one: {self.last}"
        return FailuresInARow(said, url=self.last.url)

    def require_answers(self) -> None:
        """Raises FailuresInARow where asking once more would only be one more failure."""
        if (failure := self.failure) is not None:
            raise failure
