"""Indexes begin with what tells rows apart, not with the organisation or the collection

Beside an index that begins with the organisation, a planner that does not know it yet may not choose the primary key.
The new indexes are built before the old ones go. On a large table that takes seconds to minutes, in which it can be read
but not written.
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

NEW = (
    ("product_searches", ("category", "collection_id", "status")),
    ("ebay_listings", ("seller_key", "marketplace", "org_id")),
    ("sellers", ("first_collection_id", "org_id")),
    ("sellers", ("status", "org_id")),
)
OLD = (
    ("product_searches", ("collection_id", "category", "status")),
    ("ebay_listings", ("org_id", "marketplace", "seller_key")),
    ("ebay_listings", ("seller_key",)),
    ("sellers", ("org_id", "first_collection_id")),
    ("sellers", ("first_collection_id",)),
    ("sellers", ("org_id", "status")),
)


def _name(table: str, columns: tuple[str, ...]) -> str:
    return f"ix_{table}_{'_'.join(columns)}"


def upgrade() -> None:
    _replace(OLD, NEW)


def downgrade() -> None:
    _replace(NEW, OLD)


def _replace(old: tuple[tuple[str, tuple[str, ...]], ...], new: tuple[tuple[str, tuple[str, ...]], ...]) -> None:
    for table, columns in new:
        op.create_index(_name(table, columns), table, list(columns))
    for table, columns in old:
        op.drop_index(_name(table, columns), table)
