"""When each category was last collected."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

# One that is being collected counts from its run's last sign of life: its check comes before its end.
_COLLECTED = sa.text("""
    SELECT u.category, max(CASE u.status WHEN 'done' THEN u.ended_at ELSE u.seen_at END) AS at
    FROM collection_categories u JOIN collections c USING (collection_id) JOIN categories k USING (category)
    WHERE c.org_id = :org_id AND u.status IN ('done', 'running') AND k.retired_at IS NULL
    GROUP BY u.category HAVING max(CASE u.status WHEN 'done' THEN u.ended_at ELSE u.seen_at END) IS NOT NULL
""")


def collected_at(engine: sa.Engine, org_id: str) -> dict[str, datetime]:
    """The categories of the catalogue in force that were ever collected, with the last time."""
    with engine.connect() as connection:
        return {row.category: row.at for row in connection.execute(_COLLECTED, {"org_id": org_id})}
