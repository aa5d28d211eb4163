"""Indexes for pages of sellers, products and collections. They are built after the migrations, beside whoever collects
(tables/server/indexing.py), so that this only marks from where on they are there."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

INDEXES = (
    "ix_amazon_products_words",
    "ix_product_searches_failed",
    "ix_sellers_by_name",
    "ix_sellers_by_products",
    "ix_sellers_by_first_seen",
    "ix_sellers_by_export",
    "ix_sellers_flagged",
    "ix_sellers_words",
    "ix_product_figures_by_sellers",
    "ix_product_figures_by_spread",
)


def upgrade() -> None:
    pass


def downgrade() -> None:
    for name in INDEXES:
        op.execute(f"DROP INDEX IF EXISTS {name}")
