"""Locks that need a right, and announcements that only the product hears"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "locks",
        sa.Column("name", sa.Text(), nullable=False, comment="What only one transaction at a time may hold."),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_locks")),
        comment="Rows that transactions lock to take turns: a list, a collection's events, a request in flight.",
    )
    op.create_table(
        "activity_channel",
        sa.Column("channel", sa.Text(), nullable=False, comment="Name for LISTEN; whoever knows it can listen."),
        sa.PrimaryKeyConstraint("channel", name=op.f("pk_activity_channel")),
        comment="The channel on which new events are announced: one row with a random name.",
    )
    op.execute("INSERT INTO activity_channel VALUES ('activity_' || replace(gen_random_uuid()::text, '-', ''))")


def downgrade() -> None:
    op.drop_table("activity_channel")
    op.drop_table("locks")
