"""How often each category was started lately, and after which attempt it is not started again by itself

Columns with constant defaults: the table is locked for a moment and not rewritten.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLE = "collection_categories"


def upgrade() -> None:
    op.add_column(
        TABLE,
        sa.Column(
            "last_attempt",
            sa.Integer(),
            nullable=False,
            server_default="3",
            comment="Not started by itself after this one.",
        ),
    )
    op.add_column(
        TABLE,
        sa.Column(
            "started_attempt",
            sa.Integer(),
            nullable=False,
            server_default="0",
            comment="Attempt last asked of Dagster.",
        ),
    )
    op.add_column(
        TABLE,
        sa.Column(
            "starts",
            sa.ARRAY(sa.DateTime(timezone=True)),
            nullable=False,
            server_default="{}",
            comment="When the last ten were asked for.",
        ),
    )
    # as if resumed just now
    op.execute("UPDATE collection_categories SET last_attempt = attempt + 2 WHERE attempt > 1")


def downgrade() -> None:
    for name in ("starts", "started_attempt", "last_attempt"):
        op.drop_column(TABLE, name)
