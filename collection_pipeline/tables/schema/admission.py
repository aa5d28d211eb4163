"""Letting one request through, in one statement: a place among those in flight, the budgets, the quota and a moment.

One round trip and one commit per request, whatever it takes: a run makes dozens of requests a second, and so do others.
A place is leased, not held by a transaction: nothing here needs a session, and a run that dies loses its places when
their leases end.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import sqlalchemy as sa

# The order of the locks is the same for all: a place, which nobody waits for, the collection, the source's only row.
# That row is locked until the commit, so no two requests are counted, or given a moment, at the same time.
ADMIT_CALL = """
CREATE OR REPLACE FUNCTION admit_call(
    of_source text, of_operation text, of_day date, of_cost numeric, of_collection text, calls_per_day numeric,
    places integer, given_back integer[], of_holder text, lease_s float8, requests_per_s float8, share float8,
    OUT place integer, OUT wait_s float8, OUT refusal text)
LANGUAGE plpgsql AS $$
DECLARE
    spacing interval;
BEGIN
    UPDATE public.requests_in_flight r SET held_until = '-infinity'
    WHERE r.source = of_source AND r.number = ANY (given_back) AND r.holder = of_holder;

    SELECT r.number INTO place FROM public.requests_in_flight r
    WHERE r.source = of_source AND r.number <= places AND r.held_until < clock_timestamp()
    LIMIT 1 FOR UPDATE SKIP LOCKED;
    IF place IS NULL THEN
        RETURN;
    END IF;

    UPDATE public.collections c SET calls = c.calls + 1, cost = c.cost + of_cost
    WHERE c.collection_id = of_collection AND (c.cost_cap IS NULL OR c.cost + of_cost <= c.cost_cap);
    IF NOT FOUND AND of_collection IS NOT NULL THEN
        refusal := 'cost_cap';
        RETURN;
    END IF;

    SELECT make_interval(secs => 1 / least(requests_per_s, r.vendor_requests_per_s * share)) INTO spacing
    FROM public.source_rates r WHERE r.source = of_source FOR UPDATE;

    IF of_cost > 0 AND calls_per_day < of_cost + (
        SELECT coalesce(sum(u.cost), 0) FROM public.api_usage u WHERE u.source = of_source AND u.day = of_day
    ) THEN
        UPDATE public.collections c SET calls = c.calls - 1, cost = c.cost - of_cost
        WHERE c.collection_id = of_collection;
        refusal := 'quota';
        RETURN;
    END IF;

    INSERT INTO public.api_usage AS u (source, operation, day, calls, cost)
    VALUES (of_source, of_operation, of_day, 1, of_cost)
    ON CONFLICT (source, operation, day) DO UPDATE SET calls = u.calls + 1, cost = u.cost + excluded.cost;

    UPDATE public.source_rates r SET next_at = greatest(r.next_at, clock_timestamp()) + spacing
    WHERE r.source = of_source
    RETURNING extract(epoch FROM r.next_at - spacing - clock_timestamp()) INTO wait_s;

    UPDATE public.requests_in_flight r
    SET holder = of_holder, held_until = clock_timestamp() + make_interval(secs => greatest(wait_s, 0) + lease_s)
    WHERE r.source = of_source AND r.number = place;
END $$
"""

COMMENT = (
    "COMMENT ON FUNCTION admit_call IS 'Lets a request to a marketplace through: its place among those in flight, and "
    "the seconds until its moment. Counts it against budget and quota. Used by runs.'"
)

_ADMIT = sa.text("""
    SELECT place, wait_s, refusal FROM admit_call(
        :source, :operation, :day, :cost, :collection_id, :calls_per_day,
        :places, :given_back, :holder, :lease_s, :requests_per_s, :share)
""")

_PREPARE = sa.text("""
    WITH place AS (
        INSERT INTO requests_in_flight (source, number)
        SELECT :source, number FROM generate_series(1, :places) number ON CONFLICT DO NOTHING
    )
    INSERT INTO source_rates (source, next_at) VALUES (:source, clock_timestamp()) ON CONFLICT DO NOTHING
""")

_RENEW = sa.text("""
    UPDATE requests_in_flight SET held_until = clock_timestamp() + make_interval(secs => :lease_s)
    WHERE source = :source AND number = ANY (:numbers) AND holder = :holder
    RETURNING number
""")

_GIVE_BACK = sa.text("""
    UPDATE requests_in_flight SET held_until = '-infinity'
    WHERE source = :source AND number = ANY (:numbers) AND holder = :holder
""")


@dataclass(frozen=True, slots=True)
class Admission:
    """The answer to a request: its place and its moment, or why not; neither if no place is free."""

    place: int | None
    moment: float
    """By time.monotonic(), so that a thread that is slow to pass the answer on does not delay the request."""
    refusal: str | None


@dataclass(frozen=True, slots=True)
class AdmissionRequest:
    """A request that asks to be let through."""

    source: str
    operation: str
    day: date
    cost: Decimal
    collection_id: str | None
    calls_per_day: int | None
    places: int
    requests_per_s: float
    share: float
    """Of the rate that the vendor says it allows."""


@dataclass(frozen=True)
class Admissions:
    """One holder's places. Methods commit by themselves and may be called from any thread."""

    engine: sa.Engine
    """Whose connections commit every statement by themselves."""
    holder: str
    lease_s: float

    def prepare(self, source: str, places: int) -> None:
        """Creates the rows for a source's places and rate where they are missing."""
        with self.engine.connect() as connection:
            connection.execute(_PREPARE, {"source": source, "places": places})

    def ask(self, asked: AdmissionRequest, given_back: Sequence[int]) -> Admission:
        """Gives back places, then asks for one. Nothing is counted for a request that is not let through."""
        holding = {"given_back": list(given_back), "holder": self.holder, "lease_s": self.lease_s}
        with self.engine.connect() as connection:
            row = connection.execute(
                _ADMIT, {**{name: getattr(asked, name) for name in asked.__slots__}, **holding}
            ).one()
            moment = time.monotonic() + (row.wait_s or 0.0)
        return Admission(None if row.refusal else row.place, moment, row.refusal)

    def renew(self, source: str, numbers: Sequence[int]) -> set[int]:
        """Renews the leases of places; those that were still this holder's."""
        values = {"source": source, "numbers": list(numbers), "holder": self.holder, "lease_s": self.lease_s}
        with self.engine.connect() as connection:
            return set(connection.scalars(_RENEW, values))

    def give_back(self, source: str, numbers: Sequence[int]) -> None:
        """Frees places."""
        values = {"source": source, "numbers": list(numbers), "holder": self.holder}
        with self.engine.connect() as connection:
            connection.execute(_GIVE_BACK, values)
