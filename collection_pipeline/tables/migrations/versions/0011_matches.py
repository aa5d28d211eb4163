"""How likely each listing is the product it was found for, and what people say of it.

All columns are added without rewriting a row, and are null for what was collected before: it has no match until it is
seen again or `collection-pipeline database match` fills it in.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

MATCH = sa.Numeric(4, 3)
MOMENT = sa.DateTime(timezone=True)

COLUMNS = {
    "collection_categories": (
        sa.Column(
            "median_match", MATCH, comment="Median match of its listings once searched; null where none has one."
        ),
    ),
    "ebay_listings": (
        sa.Column(
            "match", MATCH, comment="How likely it is the product, 0 to 1; people's word is 0 or 1; null if unknown."
        ),
        sa.Column(
            "match_reasons", sa.Text(), comment="What the match rests on, in a few words separated by semicolons."
        ),
    ),
    "seller_products": (sa.Column("match", MATCH, comment="The best match among them; null where none has one."),),
    "seller_figures": (
        sa.Column(
            "matched_products",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="Products of which a listing of its has a match of at least 0.5.",
        ),
        sa.Column("best_match", MATCH, comment="The best match among its current listings; null where none has one."),
    ),
}


def upgrade() -> None:
    for table, columns in COLUMNS.items():
        for column in columns:
            op.add_column(table, column)
    op.create_table(
        "listing_judgements",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False, comment="Order of the judgements."),
        sa.Column("org_id", sa.Text(), nullable=False, comment="Organisation that it counts for."),
        sa.Column("asin", sa.Text(), nullable=False, comment="The product."),
        sa.Column("listing_id", sa.Text(), nullable=False, comment="The listing that was found for it."),
        sa.Column("marketplace", sa.Text(), nullable=False, comment="Where the listing is: ebay."),
        sa.Column("seller_key", sa.Text(), nullable=False, comment="Whose listing it was."),
        sa.Column("is_same", sa.Boolean(), nullable=False, comment="Whether it is the product: confirmed or rejected."),
        sa.Column("reason", sa.Text(), nullable=True, comment="Why, in the person's words."),
        sa.Column("actor", sa.Text(), nullable=False, comment="Who judged."),
        sa.Column("judged_at", MOMENT, server_default=sa.text("now()"), nullable=False, comment="When."),
        sa.Column(
            "withdrawn_by",
            sa.Text(),
            nullable=True,
            comment="Who took it back, or judged anew; null while it is in force.",
        ),
        sa.Column("withdrawn_at", MOMENT, nullable=True, comment="When; null while it is in force."),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_listing_judgements")),
        comment="People's word on whether a listing is the product. It wins over the match and outlives collections.",
    )
    op.create_index(
        "uq_listing_judgements_in_force",
        "listing_judgements",
        ["org_id", "asin", "listing_id"],
        unique=True,
        postgresql_where=sa.text("withdrawn_at IS NULL"),
    )
    op.create_index(op.f("ix_listing_judgements_seller_key"), "listing_judgements", ["seller_key"])


def downgrade() -> None:
    # The functions of this version read the columns; those of the former one are made by whoever migrates.
    for function in ("keep_figures_of_listings", "keep_figures_of_best_sellers", "refresh_figures", "lock_figures"):
        op.execute(f"DROP FUNCTION IF EXISTS {function} CASCADE")
    op.execute("DROP VIEW IF EXISTS seller_overview")
    op.execute("DROP VIEW IF EXISTS category_sellers")
    op.drop_table("listing_judgements")
    for table, columns in COLUMNS.items():
        for column in columns:
            op.drop_column(table, column.name)
