"""Which worker works on which run. A new table; nothing that is there is touched."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "run_leases",
        sa.Column("run_id", sa.Text(), nullable=False, comment="The Dagster run."),
        sa.Column("holder", sa.Text(), nullable=False, comment="The process that works on it, and its machine."),
        sa.Column("taken_at", MOMENT, nullable=False, comment="When it took the run."),
        sa.Column(
            "held_until",
            MOMENT,
            nullable=False,
            comment="When the lease ends unless it is renewed; the process ends before.",
        ),
        sa.Column(
            "is_stopping",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="Whether the process was asked to stop.",
        ),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_run_leases")),
        comment="Runs that workers have taken. A worker that has died, or lost the database, loses its runs by itself.",
    )


def downgrade() -> None:
    op.drop_table("run_leases")
