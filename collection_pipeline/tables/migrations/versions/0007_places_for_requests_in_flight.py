"""Places for requests in flight are leased, in place of locked for as long as a session lasts"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "requests_in_flight",
        sa.Column("source", sa.Text(), nullable=False, comment="oxylabs or ebay."),
        sa.Column("number", sa.Integer(), nullable=False, comment="The place, from 1 to what is allowed at a time."),
        sa.Column("holder", sa.Text(), nullable=True, comment="Whose request has the place, or had it last."),
        sa.Column(
            "held_until",
            sa.DateTime(timezone=True),
            server_default=sa.text("'-infinity'"),
            nullable=False,
            comment="When the lease of the place ends; it is free from then on.",
        ),
        sa.PrimaryKeyConstraint("source", "number", name=op.f("pk_requests_in_flight")),
        comment="Places for requests in flight, which all runs share. They are leased, so one that died frees its own.",
    )
    op.execute("DELETE FROM locks WHERE name LIKE 'in flight: %'")
    op.create_table_comment(
        "locks",
        "Rows that transactions lock to take turns: a list, a collection's events.",
        existing_comment="Rows that transactions lock to take turns: a list, a collection's events, a request in flight.",
    )


def downgrade() -> None:
    op.execute("DROP FUNCTION IF EXISTS admit_call")
    op.create_table_comment(
        "locks",
        "Rows that transactions lock to take turns: a list, a collection's events, a request in flight.",
        existing_comment="Rows that transactions lock to take turns: a list, a collection's events.",
    )
    op.drop_table("requests_in_flight")
