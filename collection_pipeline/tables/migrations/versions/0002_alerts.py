"""Alerts: what was raised, and whether it was sent."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "alerts",
        sa.Column(
            "id", sa.BigInteger(), sa.Identity(always=False), nullable=False, comment="Order in which they were raised."
        ),
        sa.Column("cause", sa.Text(), nullable=False, comment="collection_ended, run_failed, check_failed, …"),
        sa.Column(
            "subject", sa.Text(), nullable=False, comment="What it is about; a cause and subject share a message."
        ),
        sa.Column("event", sa.Text(), nullable=False, comment="What exactly happened: it is raised once."),
        sa.Column("text", sa.Text(), nullable=False, comment="The alert in words."),
        sa.Column(
            "path", sa.Text(), nullable=False, comment="Its page in the Dagster UI, without the address of that."
        ),
        sa.Column("happened_at", MOMENT, nullable=False, comment="When it happened."),
        sa.Column("raised_at", MOMENT, server_default=sa.text("now()"), nullable=False, comment="When it was noticed."),
        sa.Column("claimed_at", MOMENT, nullable=True, comment="When its message was last begun to be sent."),
        sa.Column("sent_at", MOMENT, nullable=True, comment="When the webhook took its message; null while it waits."),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alerts")),
        sa.UniqueConstraint("cause", "event", name="uq_alerts_event"),
        comment="What people were, or are to be, told of through the webhook.",
    )
    op.create_index(op.f("ix_alerts_cause_subject_claimed_at"), "alerts", ["cause", "subject", "claimed_at"])
    op.create_index("ix_alerts_waiting", "alerts", ["id"], postgresql_where=sa.text("sent_at IS NULL"))


def downgrade() -> None:
    op.drop_table("alerts")
