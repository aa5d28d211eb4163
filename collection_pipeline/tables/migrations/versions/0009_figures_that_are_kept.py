"""Figures of products and sellers, kept up to date by triggers. Locks nothing: what is there already is counted
afterwards, in small batches, beside whoever collects (tables/server/filling.py)."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

MONEY = sa.Numeric(12, 2)
ORG = "Organisation whose figures they are."


def count(name: str, comment: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), server_default="0", nullable=False, comment=comment)


def upgrade() -> None:
    op.create_table(
        "product_figures",
        sa.Column("org_id", sa.Text(), nullable=False, comment=ORG),
        sa.Column("asin", sa.Text(), nullable=False, comment="The product."),
        sa.Column(
            "categories",
            ARRAY(sa.Text()),
            server_default="{}",
            nullable=False,
            comment="Categories whose current list of best sellers it is on.",
        ),
        count("listings", "Its current listings."),
        count("sellers", "Sellers who have one."),
        sa.Column("price_low", MONEY, nullable=True, comment="Lowest price; null without a listing."),
        sa.Column("price_median", MONEY, nullable=True, comment="Median price."),
        sa.Column("price_high", MONEY, nullable=True, comment="Highest price."),
        sa.PrimaryKeyConstraint("org_id", "asin", name=op.f("pk_product_figures")),
        comment="What the current listings of each product come to. Kept by triggers, true at any moment.",
    )
    op.create_index(
        "ix_product_figures_most_sellers",
        "product_figures",
        [sa.text("sellers DESC"), "asin"],
        postgresql_where=sa.text("categories <> '{}' AND sellers > 0"),
    )
    op.create_table(
        "seller_products",
        sa.Column("org_id", sa.Text(), nullable=False, comment=ORG),
        sa.Column("asin", sa.Text(), nullable=False, comment="The product."),
        sa.Column("marketplace", sa.Text(), nullable=False, comment="Where the account is: ebay."),
        sa.Column("seller_key", sa.Text(), nullable=False, comment="The seller."),
        sa.Column("listings", sa.Integer(), nullable=False, comment="The seller's current listings of the product."),
        sa.PrimaryKeyConstraint("org_id", "asin", "marketplace", "seller_key", name=op.f("pk_seller_products")),
        comment="Who sells which product now. Kept by triggers, true at any moment.",
    )
    op.create_index(
        op.f("ix_seller_products_seller_key_marketplace_org_id"),
        "seller_products",
        ["seller_key", "marketplace", "org_id"],
    )
    op.create_table(
        "seller_categories",
        sa.Column("org_id", sa.Text(), nullable=False, comment=ORG),
        sa.Column("marketplace", sa.Text(), nullable=False, comment="Where the account is: ebay."),
        sa.Column("seller_key", sa.Text(), nullable=False, comment="The seller."),
        sa.Column("category", sa.Text(), nullable=False, comment="A category whose best sellers it sells."),
        sa.Column("best_sellers", sa.Integer(), nullable=False, comment="How many of them."),
        sa.PrimaryKeyConstraint("org_id", "marketplace", "seller_key", "category", name=op.f("pk_seller_categories")),
        comment="How many best sellers of which category each seller sells now. Kept by triggers.",
    )
    op.create_index(
        "ix_seller_categories_of_category", "seller_categories", ["category", sa.text("best_sellers DESC"), "org_id"]
    )
    op.create_index(
        "ix_seller_categories_none", "seller_categories", ["org_id"], postgresql_where=sa.text("best_sellers = 0")
    )
    op.create_table(
        "seller_figures",
        sa.Column("org_id", sa.Text(), nullable=False, comment=ORG),
        sa.Column("marketplace", sa.Text(), nullable=False, comment="Where the account is: ebay."),
        sa.Column("seller_key", sa.Text(), nullable=False, comment="The seller."),
        count("products", "Products it sells now."),
        count("best_sellers", "Those that are on a category's current list."),
        count("categories", "Categories that these are on the lists of."),
        sa.PrimaryKeyConstraint("org_id", "marketplace", "seller_key", name=op.f("pk_seller_figures")),
        comment="What each seller sells now, also before it is on the list. Kept by triggers, true at any moment.",
    )
    op.create_index(
        "ix_seller_figures_most_best_sellers", "seller_figures", [sa.text("best_sellers DESC"), "seller_key"]
    )
    op.create_index("ix_seller_figures_none", "seller_figures", ["org_id"], postgresql_where=sa.text("products = 0"))
    op.execute("INSERT INTO locks (name) SELECT 'figures: to be filled' WHERE EXISTS (SELECT FROM amazon_products)")


def downgrade() -> None:
    for table, function in (("ebay_listings", "listings"), ("amazon_products", "best_sellers")):
        for event in ("insert", "update", "delete"):
            op.execute(f"DROP TRIGGER IF EXISTS keep_figures_of_{function}_{event} ON {table}")
        op.execute(f"DROP FUNCTION IF EXISTS keep_figures_of_{function}")
    op.execute("DROP FUNCTION IF EXISTS refresh_figures")
    op.execute("DROP FUNCTION IF EXISTS lock_figures")
    op.execute("DELETE FROM locks WHERE name = 'figures: to be filled'")
    for table in ("seller_figures", "seller_categories", "seller_products", "product_figures"):
        op.drop_table(table)
