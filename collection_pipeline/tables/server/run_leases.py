"""Which worker works on which run: a lease, so that a run is worked on once however often it is sent.

A message broker delivers at least once, and cannot say whether a worker that it hears nothing of is dead. The lease
can: it ends by the database's clock unless it is renewed, and its holder ends before that by its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

import sqlalchemy as sa

from collection_pipeline.tables.schema.notices import DAEMON, announce

LEASE_S = 9.0
"""How long a worker that has died, or lost the database, keeps its run."""

_TAKE = sa.text("""
    INSERT INTO run_leases AS l (run_id, holder, taken_at, held_until)
    VALUES (:run_id, :holder, clock_timestamp(), clock_timestamp() + make_interval(secs => :lease_s))
    ON CONFLICT (run_id) DO UPDATE SET
        holder = excluded.holder, taken_at = excluded.taken_at, held_until = excluded.held_until, is_stopping = false
    WHERE l.held_until < clock_timestamp()
    RETURNING true
""")

_RENEW = sa.text("""
    UPDATE run_leases SET held_until = clock_timestamp() + make_interval(secs => :lease_s)
    WHERE run_id = :run_id AND holder = :holder AND held_until > clock_timestamp()
    RETURNING is_stopping
""")

_STOP = sa.text("""
    UPDATE run_leases SET is_stopping = true WHERE run_id = :run_id AND held_until > clock_timestamp() RETURNING true
""")

_HELD = sa.text("SELECT run_id FROM run_leases WHERE run_id = ANY (:run_ids) AND held_until > clock_timestamp()")

_GIVE_BACK = sa.text("DELETE FROM run_leases WHERE run_id = :run_id AND holder = :holder")

_FORGET = sa.text("DELETE FROM run_leases WHERE held_until < clock_timestamp() - interval '1 day'")


class Renewal(Enum):
    """What a holder learns when it renews its lease."""

    HELD = auto()
    STOPPING = auto()  # held, and somebody wants the run stopped
    LOST = auto()  # it was not renewed in time


@dataclass(frozen=True)
class RunLeases:
    """The leases of all runs. Every method is one short transaction, and may be called from any thread."""

    engine: sa.Engine
    lease_s: float = LEASE_S

    def take(self, run_id: str, holder: str) -> bool:
        """Whether the holder has the run now; not while another one has it."""
        with self.engine.begin() as connection:
            values = {"run_id": run_id, "holder": holder, "lease_s": self.lease_s}
            return bool(connection.scalar(_TAKE, values))

    def renew(self, run_id: str, holder: str) -> Renewal:
        """Makes the lease last from now."""
        with self.engine.begin() as connection:
            values = {"run_id": run_id, "holder": holder, "lease_s": self.lease_s}
            is_stopping = connection.scalar(_RENEW, values)
        if is_stopping is None:
            return Renewal.LOST
        return Renewal.STOPPING if is_stopping else Renewal.HELD

    def give_back(self, run_id: str, holder: str) -> None:
        """Ends the lease, and has the daemon look at what comes next."""
        with self.engine.begin() as connection:
            connection.execute(_GIVE_BACK, {"run_id": run_id, "holder": holder})
            announce(connection, DAEMON)

    def stop(self, run_id: str) -> bool:
        """Asks the holder to stop the run; whether there is one."""
        with self.engine.begin() as connection:
            return bool(connection.scalar(_STOP, {"run_id": run_id}))

    def held(self, run_ids: Sequence[str]) -> set[str]:
        """Those of the runs that a worker has."""
        with self.engine.connect() as connection:
            return set(connection.scalars(_HELD, {"run_ids": list(run_ids)}))

    def forget(self) -> None:
        """Removes what workers that died left behind."""
        with self.engine.begin() as connection:
            connection.execute(_FORGET)
