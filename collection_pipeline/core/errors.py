"""Everything that can go wrong, by kind.

    PipelineError                    a person gets this sentence; no traceback is needed to act on it
    ├── TookTooLong                  the database took longer than it may; nothing was changed
    └── SourceError                  a marketplace did not give what was asked for
        ├── RateLimited              too fast: wait, then try again
        ├── QuotaExhausted           the day's calls are gone: stop until the reset
        ├── Transient                timeouts, resets, 5xx: try again
        │   ├── FaultedJob           the vendor's job failed, although HTTP said 200: try again
        │   └── Garbled              nothing can be read of the reply: cut off, null, an edge's HTML page: try again
        ├── BudgetSpent              the collection's cost cap is reached: stop
        ├── Rejected                 our request is wrong: stop
        ├── Unauthorised             our credentials are wrong: stop
        ├── KeysChanged              known listings name other sellers in bulk: stop, a person decides
        ├── FailuresInARow           the source's last replies were all failures: stop, and try again later
        ├── NothingWorked            every single search of a category failed
        └── Malformed                the reply is not what was promised: this unit fails, the rest goes on
            ├── UnknownNode          the category's node does not exist at the vendor
            ├── EmptyPage            a page that must have products has none
            ├── Oversized            the reply is larger than any honest one
            └── Implausible          far fewer products than are known: what is known stays

A failure is given its kind once, in `sources`; everyone else asks `retryable` and `stops_collection`. The line between
Garbled and Malformed is whether the reply is well-formed: what is cut off, or no JSON, or `null`, was broken on its way
and comes out right when it is asked for again; a JSON object of another shape says the same the second time.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

ErrorStage = Literal["api", "product_extraction", "seller_extraction", "price_parsing"]
"""Where in the handling of one request it went wrong."""


class PipelineError(Exception):
    """Says in one sentence what happened, to what, and what to do about it.

    `kind` is the word for it in tables and events.
    """

    kind: ClassVar[str] = "configuration"


class Stopped(Exception):
    """Somebody paused or cancelled the collection, or another run took the category over. Nothing went wrong."""

    def __init__(self, status: str, message: str) -> None:
        super().__init__(message)
        self.status = status


class TookTooLong(PipelineError):
    """The database took longer than it may hold up others; the transaction was undone."""

    kind: ClassVar[str] = "took_too_long"


class SourceError(PipelineError):
    """A marketplace did not give what was asked for.

    `url` is the request's address without credentials.
    """

    kind: ClassVar[str] = "source_error"
    retryable: ClassVar[bool] = False
    stops_collection: ClassVar[bool] = False

    def __init__(self, message: str, *, url: str | None = None, stage: ErrorStage = "api") -> None:
        super().__init__(message)
        self.url = url
        self.stage: ErrorStage = stage


class RateLimited(SourceError):
    """Too many requests at once. `retry_after_s` is the vendor's own wish in seconds, where it sends one."""

    kind = "rate_limited"
    retryable = True

    def __init__(self, message: str, *, url: str | None = None, retry_after_s: float | None = None) -> None:
        super().__init__(message, url=url)
        self.retry_after_s = retry_after_s


class QuotaExhausted(SourceError):
    """No calls are left for the vendor's day; `resets_at` (UTC) is when there are again."""

    kind = "quota_exhausted"
    stops_collection = True

    def __init__(self, message: str, *, url: str | None = None, resets_at: datetime | None = None) -> None:
        super().__init__(message, url=url)
        self.resets_at = resets_at


class BudgetSpent(SourceError):
    """The collection has spent what it was allowed to."""

    kind = "budget_spent"
    stops_collection = True


class Transient(SourceError):
    """Likely to work if tried again."""

    kind = "transient"
    retryable = True


class FaultedJob(Transient):
    """The vendor accepted the job, answered HTTP 200 and reported inside that the job had failed."""

    kind = "faulted_job"


class Garbled(Transient):
    """Nothing can be read of the reply. It was broken for a moment, by the vendor's edge or on its way."""

    kind = "garbled"


class Rejected(SourceError):
    """The vendor refuses the request as such; every further one would be refused too."""

    kind = "rejected"
    stops_collection = True


class Unauthorised(SourceError):
    """The vendor does not accept our credentials."""

    kind = "unauthorised"
    stops_collection = True


class KeysChanged(SourceError):
    """Most known listings name another seller than before: the marketplace may have changed the form of its names."""

    kind = "keys_changed"
    stops_collection = True


class FailuresInARow(SourceError):
    """The last replies of the source were all failures, whichever worker met them: it is away, or has changed."""

    kind = "failures_in_a_row"
    stops_collection = True


class NothingWorked(SourceError):
    """Every search of a category failed; the category has failed, whatever each search's own reason was."""

    kind = "nothing_worked"


class Malformed(SourceError):
    """The reply is not what the vendor promises; nothing of it is believed."""

    kind = "malformed"


class UnknownNode(Malformed):
    """The vendor does not know this browse node; asking again would cost money and change nothing."""

    kind = "unknown_node"


class EmptyPage(Malformed):
    """A best-seller page without a single product: blocked or broken, never "no products"."""

    kind = "empty_page"


class Oversized(Malformed):
    """The reply is larger than any honest one. What came of it was thrown away; it would be as large again."""

    kind = "oversized"


class Implausible(Malformed):
    """So few products, compared with what is known, that the answer is not believed."""

    kind = "implausible"
