"""Statistics: who asked for what, how much at once, and what was refused, so that tests can measure a client."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from math import floor


class Stats:
    """Counts since the start or the last reset. What is in flight goes on counting across a reset."""

    def __init__(self, in_flight: Counter[str] | None = None) -> None:
        self.requests = Counter[str]()
        self.rejected: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.in_flight = Counter[str]() if in_flight is None else in_flight
        self.highest_in_flight = Counter(self.in_flight)
        self.peak_per_s = Counter[str]()
        self.nodes = Counter[tuple[str, int]]()
        self.searches = Counter[tuple[str, str, int]]()
        self.billed_pages = 0
        self._second: dict[str, tuple[int, int]] = {}

    @contextmanager
    def request(self, endpoint: str, now: float) -> Iterator[None]:
        """Counts one request while it is answered."""
        self.requests[endpoint] += 1
        self.in_flight[endpoint] += 1
        self.highest_in_flight[endpoint] = max(self.highest_in_flight[endpoint], self.in_flight[endpoint])
        second, count = self._second.get(endpoint, (0, 0))
        count = count + 1 if second == floor(now) else 1
        self._second[endpoint] = (floor(now), count)
        self.peak_per_s[endpoint] = max(self.peak_per_s[endpoint], count)
        try:
            yield
        finally:
            self.in_flight[endpoint] -= 1

    def as_json(self) -> dict[str, object]:
        """What `GET /_control/stats` shows."""
        return {
            "requests": dict(self.requests),
            "rejected": {endpoint: dict(codes) for endpoint, codes in self.rejected.items()},
            "in_flight": dict(self.in_flight),
            "highest_in_flight": dict(self.highest_in_flight),
            "peak_per_s": dict(self.peak_per_s),
            "nodes": [{"node": node, "page": page, "requests": count} for (node, page), count in self.nodes.items()],
            "searches": [
                {"q": q, "filter": filter_, "offset": offset, "requests": count}
                for (q, filter_, offset), count in self.searches.items()
            ],
            "oxylabs_billed_pages": self.billed_pages,
        }
