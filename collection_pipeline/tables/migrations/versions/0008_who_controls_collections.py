"""Who last paused, resumed or cancelled a collection. Locks `collections` for an instant: the column starts as null."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "collections",
        sa.Column("controlled", sa.Text(), nullable=True, comment="What somebody last did to it, who, and where."),
    )


def downgrade() -> None:
    op.drop_column("collections", "controlled")
