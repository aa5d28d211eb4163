"""What was planned for a collection's searches, and what each brought. Nullable columns: no row is rewritten."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "product_searches",
        sa.Column(
            "arrived",
            sa.Integer(),
            comment="Sellers found for the product for the first time; null until they are merged.",
        ),
    )
    op.add_column(
        "product_searches",
        sa.Column(
            "new_sellers",
            sa.Numeric(10, 2),
            comment="Those of them who were on no list before; a part of one who came with several products.",
        ),
    )
    op.create_table(
        "collection_plans",
        sa.Column("collection_id", sa.Text(), nullable=False, comment="The collection."),
        sa.Column("category", sa.Text(), nullable=False, comment="The category."),
        sa.Column("budget_calls", sa.Integer(), comment="Calls that its searches may take; null is without limit."),
        sa.Column("searches", sa.Integer(), nullable=False, comment="Products to be searched."),
        sa.Column("calls", sa.Integer(), nullable=False, comment="Calls that their searches will probably take."),
        sa.Column(
            "expected_new_sellers", sa.Numeric(12, 1), nullable=False, comment="New sellers that these will bring."
        ),
        sa.Column("expected_low", sa.Numeric(12, 1), nullable=False, comment="Nine times in ten it is at least this."),
        sa.Column("expected_high", sa.Numeric(12, 1), nullable=False, comment="Nine times in ten it is at most this."),
        sa.Column("left_out", JSONB(), nullable=False, comment="Products not to be searched, count by reason."),
        sa.Column(
            "planned_at",
            sa.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When it was planned.",
        ),
        sa.PrimaryKeyConstraint("collection_id", "category", name=op.f("pk_collection_plans")),
        sa.ForeignKeyConstraint(
            ["collection_id"],
            ["collections.collection_id"],
            name=op.f("fk_collection_plans_collection_id_collections"),
        ),
        comment="What was planned for each category of a collection before it started. Beside what came: "
        "collection_plan_results.",
    )


def downgrade() -> None:
    op.execute("DROP VIEW IF EXISTS collection_plan_results")
    op.drop_table("collection_plans")
    op.drop_column("product_searches", "new_sellers")
    op.drop_column("product_searches", "arrived")
