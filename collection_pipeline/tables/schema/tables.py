"""The output tables: the team's contract. Every table and column carries its meaning into the database as a comment.

A change here needs a migration (`migrations/`); a test compares the two.

Besides primary keys, no index of the large tables begins with `org_id` or `collection_id`. A planner that has not heard
of an organisation yet takes such an index for as good as the primary key, and reads all of the organisation at every
lookup. The indexes for pages of lists begin with the organisation as an expression, which only pages ask for.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from collection_pipeline.tables.schema.word_search import word_vector

MONEY = sa.Numeric(12, 2)
"""Whole cents of the currency in the column beside it."""

MATCH = sa.Numeric(4, 3)
"""From 0 to 1 in thousandths: exact, so that a listing at a threshold is on the same side of it everywhere."""

MOMENT = sa.DateTime(timezone=True)

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


def _one_of(column: str, *values: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(f"{column} IN ({', '.join(repr(value) for value in values)})", name=f"{column}_known")


def _for_pages(name: str, *columns: str, where: str | None = None) -> sa.Index:
    """An index in the order of a list that is paged. It is built beside whoever collects (server/indexing.py)."""
    condition = None if where is None else sa.text(where)
    listed = [sa.text("(org_id || '')"), *map(sa.text, columns)]
    return sa.Index(name, *listed, postgresql_where=condition, postgresql_concurrently=True)


def _for_words(name: str, column: str) -> sa.Index:
    """An index for what `word_search` asks. It is built beside whoever collects."""
    return sa.Index(name, sa.text(word_vector(column)), postgresql_using="gin", postgresql_concurrently=True)


def _now() -> sa.TextClause:
    return sa.text("now()")


categories = sa.Table(
    "categories",
    metadata,
    sa.Column("category", sa.Text, primary_key=True, comment="Key of the category; the partition key in Dagster."),
    sa.Column("name", sa.Text, nullable=False, comment="Name for people."),
    sa.Column("department", sa.Text, nullable=False, comment="Key of the department it belongs to."),
    sa.Column("department_name", sa.Text, nullable=False, comment="Name of the department for people."),
    sa.Column("node", sa.Text, nullable=False, comment="Amazon.com browse node number."),
    sa.Column("position", sa.Integer, nullable=False, comment="Place in the catalogue file, from 1."),
    sa.Column("retired_at", MOMENT, comment="When it left the catalogue; null while it is in force."),
    comment="The catalogue in force: one row per Amazon category.",
)

presets = sa.Table(
    "presets",
    metadata,
    sa.Column("preset", sa.Text, primary_key=True, comment="Key of the preset."),
    sa.Column("name", sa.Text, nullable=False, comment="Name for people."),
    sa.Column("description", sa.Text, nullable=False, comment="What it is good for."),
    sa.Column("categories", sa.ARRAY(sa.Text), nullable=False, comment="Keys of its categories."),
    sa.Column("position", sa.Integer, nullable=False, comment="Place in the catalogue file, from 1."),
    comment="Named sets of categories, as in the catalogue in force.",
)

collections = sa.Table(
    "collections",
    metadata,
    sa.Column("collection_id", sa.Text, primary_key=True, comment="Name of the collection; a tag on its Dagster runs."),
    sa.Column("org_id", sa.Text, nullable=False, comment="Organisation whose seller list it feeds."),
    sa.Column(
        "status",
        sa.Text,
        nullable=False,
        comment="running, paused, cancelling, finishing (its snapshot is due), completed, completed_with_errors, "
        "failed or cancelled.",
    ),
    sa.Column("preset", sa.Text, comment="Preset it was started with; null for chosen categories or manual runs."),
    sa.Column("fingerprint", sa.Text, comment="Same for plans that would collect the same; null for manual runs."),
    sa.Column("min_markup_percent", sa.Numeric(8, 2), comment="Lower end of the price band, markup in percent."),
    sa.Column("max_markup_percent", sa.Numeric(8, 2), comment="Upper end of the price band, markup in percent."),
    sa.Column("calls", sa.BigInteger, nullable=False, server_default="0", comment="Calls, counted before each one."),
    sa.Column(
        "cost", sa.Numeric(14, 4), nullable=False, server_default="0", comment="Spent, counted before each call."
    ),
    sa.Column("cost_cap", sa.Numeric(14, 4), comment="No call is made beyond this cost; null is without limit."),
    sa.Column("paused_reason", sa.Text, comment="Why it is paused: by_hand, or the kind of an error."),
    sa.Column("paused_message", sa.Text, comment="The same in words, with what to do."),
    sa.Column("paused_until", MOMENT, comment="When it goes on by itself; null while paused: on command only."),
    sa.Column(
        "seller_count_snapshot", sa.BigInteger, comment="Sellers on the list when it last ended; null while it runs."
    ),
    sa.Column("endings", sa.Integer, nullable=False, server_default="0", comment="How often it has ended."),
    sa.Column("started_at", MOMENT, nullable=False, server_default=_now(), comment="When it was started."),
    sa.Column("completed_at", MOMENT, comment="When it last ended; null while it is open."),
    sa.Column("controlled", sa.Text, comment="What somebody last did to it, who, and where."),
    _one_of(
        "status",
        "running",
        "paused",
        "cancelling",
        "finishing",
        "completed",
        "completed_with_errors",
        "failed",
        "cancelled",
    ),
    sa.Index(
        "uq_collections_open_fingerprint",
        "fingerprint",
        unique=True,
        postgresql_where=sa.text("status IN ('running', 'paused', 'cancelling', 'finishing')"),
    ),
    sa.Index(None, "org_id", "started_at"),
    comment="One row per collection: one pass over a set of categories. Figures: view collection_progress.",
)

collection_categories = sa.Table(
    "collection_categories",
    metadata,
    sa.Column("collection_id", sa.ForeignKey("collections.collection_id"), primary_key=True, comment="The collection."),
    sa.Column("category", sa.Text, primary_key=True, comment="The category."),
    sa.Column("status", sa.Text, nullable=False, comment="planned, running, done, failed or cancelled."),
    sa.Column("attempt", sa.Integer, nullable=False, server_default="1", comment="How often it was started."),
    sa.Column(
        "last_attempt", sa.Integer, nullable=False, server_default="3", comment="Not started by itself after this one."
    ),
    sa.Column(
        "started_attempt", sa.Integer, nullable=False, server_default="0", comment="Attempt last asked of Dagster."
    ),
    sa.Column(
        "starts", sa.ARRAY(MOMENT), nullable=False, server_default="{}", comment="When the last ten were asked for."
    ),
    sa.Column("run_id", sa.Text, comment="The Dagster run that last worked on it."),
    sa.Column("seen_at", MOMENT, comment="When its run last gave a sign of life."),
    sa.Column("products", sa.Integer, comment="Best sellers fetched; null if not fetched in this collection."),
    sa.Column(
        "calls", sa.Integer, nullable=False, server_default="0", comment="Calls made for its best sellers, retries too."
    ),
    sa.Column("sellers_found", sa.Integer, comment="Distinct sellers of its listings; null if not merged yet."),
    sa.Column(
        "new_sellers", sa.Integer, nullable=False, server_default="0", comment="Sellers it was the first to bring."
    ),
    sa.Column("reason", sa.Text, comment="Kind of the failure, if it failed."),
    sa.Column("error_stage", sa.Text, comment="Where it failed: api, product_extraction, seller_extraction, …"),
    sa.Column("error_message", sa.Text, comment="The failure in words."),
    sa.Column("median_match", MATCH, comment="Median match of its listings once searched; null where none has one."),
    sa.Column("started_at", MOMENT, comment="When its first run began to work."),
    sa.Column("ended_at", MOMENT, comment="When it ended."),
    _one_of("status", "planned", "running", "done", "failed", "cancelled"),
    comment="The categories of a collection and how each of them stands.",
)

collection_plans = sa.Table(
    "collection_plans",
    metadata,
    sa.Column("collection_id", sa.ForeignKey("collections.collection_id"), primary_key=True, comment="The collection."),
    sa.Column("category", sa.Text, primary_key=True, comment="The category."),
    sa.Column("budget_calls", sa.Integer, comment="Calls that its searches may take; null is without limit."),
    sa.Column("searches", sa.Integer, nullable=False, comment="Products to be searched."),
    sa.Column("calls", sa.Integer, nullable=False, comment="Calls that their searches will probably take."),
    sa.Column("expected_new_sellers", sa.Numeric(12, 1), nullable=False, comment="New sellers that these will bring."),
    sa.Column("expected_low", sa.Numeric(12, 1), nullable=False, comment="Nine times in ten it is at least this."),
    sa.Column("expected_high", sa.Numeric(12, 1), nullable=False, comment="Nine times in ten it is at most this."),
    sa.Column("left_out", JSONB, nullable=False, comment="Products not to be searched, count by reason."),
    sa.Column("planned_at", MOMENT, nullable=False, server_default=_now(), comment="When it was planned."),
    comment="What was planned for each category of a collection before it started. Beside what came: "
    "collection_plan_results.",
)

amazon_products = sa.Table(
    "amazon_products",
    metadata,
    sa.Column("org_id", sa.Text, primary_key=True, comment="Organisation that collected it."),
    sa.Column("category", sa.Text, primary_key=True, comment="Category it is a best seller of."),
    sa.Column("asin", sa.Text, primary_key=True, comment="Amazon's product number."),
    sa.Column("position", sa.Integer, nullable=False, comment="Place among the best sellers, from 1; gaps are real."),
    sa.Column("title", sa.Text, nullable=False, comment="Title as shown, cut by Amazon at about 125 characters."),
    sa.Column("price", MONEY, comment="Price; null where the page showed none."),
    sa.Column("currency", sa.CHAR(3), comment="Currency of the price."),
    sa.Column("rating", sa.Numeric(2, 1), comment="Stars, 0 to 5; null where not shown."),
    sa.Column("ratings_count", sa.BigInteger, comment="Number of ratings; null where not shown."),
    sa.Column("url", sa.Text, nullable=False, comment="The product's page."),
    sa.Column("collection_id", sa.Text, nullable=False, comment="Collection that last saw it here."),
    sa.Column("updated_at", MOMENT, nullable=False, server_default=_now(), comment="When it was last seen here."),
    sa.Index(None, "asin"),
    sa.Index(None, "category"),
    _for_words("ix_amazon_products_words", "title"),
    comment="Current best sellers: one row per category and product. Earlier lists: amazon_product_history.",
)

amazon_product_history = sa.Table(
    "amazon_product_history",
    metadata,
    sa.Column("collection_id", sa.ForeignKey("collections.collection_id"), primary_key=True, comment="The collection."),
    sa.Column("category", sa.Text, primary_key=True, comment="The category."),
    sa.Column("asin", sa.Text, primary_key=True, comment="Amazon's product number."),
    sa.Column("position", sa.Integer, nullable=False, comment="Place among the best sellers at that time."),
    sa.Column("title", sa.Text, nullable=False, comment="Title at that time."),
    sa.Column("price", MONEY, comment="Price at that time; null where the page showed none."),
    sa.Column("currency", sa.CHAR(3), comment="Currency of the price."),
    sa.Column("seen_at", MOMENT, nullable=False, server_default=_now(), comment="When it was seen."),
    sa.Index(None, "asin", "seen_at"),
    comment="Position and price of every best seller in every collection.",
)

best_seller_pages = sa.Table(
    "best_seller_pages",
    metadata,
    sa.Column("collection_id", sa.ForeignKey("collections.collection_id"), primary_key=True, comment="The collection."),
    sa.Column("category", sa.Text, primary_key=True, comment="The category."),
    sa.Column("page", sa.Integer, primary_key=True, comment="Page number, from 1."),
    sa.Column("content", JSONB, nullable=False, comment="The page as it was read."),
    sa.Column("fetched_at", MOMENT, nullable=False, server_default=_now(), comment="When it came."),
    comment="Best-seller pages that were paid for while the others of their category are still to come.",
)

product_searches = sa.Table(
    "product_searches",
    metadata,
    sa.Column("collection_id", sa.ForeignKey("collections.collection_id"), primary_key=True, comment="The collection."),
    sa.Column(
        "asin", sa.Text, primary_key=True, comment="The product; searched once, however many categories list it."
    ),
    sa.Column("category", sa.Text, nullable=False, comment="The category whose run searches it: the first to list it."),
    sa.Column("status", sa.Text, nullable=False, comment="planned, done, empty (no match), failed or skipped."),
    sa.Column("reason", sa.Text, comment="Kind of the failure, or why it was skipped."),
    sa.Column("error_stage", sa.Text, comment="Where it failed: api, product_extraction, seller_extraction, …"),
    sa.Column("error_message", sa.Text, comment="The failure in words."),
    sa.Column("began_at", MOMENT, comment="When its first page was committed; null before that."),
    sa.Column("query", sa.Text, comment="What eBay was searched for."),
    sa.Column("price_low", MONEY, comment="Lower edge of the price band, included."),
    sa.Column("price_high", MONEY, comment="Upper edge of the price band, included."),
    sa.Column("currency", sa.CHAR(3), comment="Currency of the band."),
    sa.Column("pages", sa.Integer, nullable=False, server_default="0", comment="Result pages that came back."),
    sa.Column("calls", sa.Integer, nullable=False, server_default="0", comment="Calls made, failed attempts included."),
    sa.Column("listings", sa.Integer, nullable=False, server_default="0", comment="Listings that matched every rule."),
    sa.Column(
        "arrived", sa.Integer, comment="Sellers found for the product for the first time; null until they are merged."
    ),
    sa.Column(
        "new_sellers",
        sa.Numeric(10, 2),
        comment="Those of them who were on no list before; a part of one who came with several products.",
    ),
    sa.Column(
        "rejected", JSONB, nullable=False, server_default="{}", comment="Items that broke a rule, count by rule."
    ),
    sa.Column("duration_ms", sa.Integer, comment="Time the search took, waits included, in milliseconds."),
    sa.Column("searched_at", MOMENT, comment="When it ended; null while planned."),
    _one_of("status", "planned", "done", "empty", "failed", "skipped"),
    sa.Index(None, "category", "collection_id", "status"),
    sa.Index(None, "asin", "searched_at"),
    sa.Index(
        "ix_product_searches_failed",
        "collection_id",
        postgresql_where=sa.text("status = 'failed'"),
        postgresql_concurrently=True,
    ),
    comment="One row per product and collection: its search's checkpoint, committed together with its listings.",
)

ebay_listings = sa.Table(
    "ebay_listings",
    metadata,
    sa.Column("org_id", sa.Text, primary_key=True, comment="Organisation that collected it."),
    sa.Column("asin", sa.Text, primary_key=True, comment="The product it was found for."),
    sa.Column("listing_id", sa.Text, primary_key=True, comment="eBay's item number, without the variation."),
    sa.Column("marketplace", sa.Text, nullable=False, comment="Always ebay; first half of the seller's key."),
    sa.Column("seller_key", sa.Text, nullable=False, comment="Normalised seller name; see sellers."),
    sa.Column("seller_name", sa.Text, nullable=False, comment="Seller's name as the listing shows it."),
    sa.Column("former_seller_key", sa.Text, comment="Who it named before, where that changed and is not settled yet."),
    sa.Column("feedback_score", sa.Integer, comment="Seller's feedback score; null where not said."),
    sa.Column("feedback_percent", sa.Numeric(4, 1), comment="Share of positive feedback; null where there is none."),
    sa.Column("title", sa.Text, nullable=False, comment="Title of the listing."),
    sa.Column("price", MONEY, nullable=False, comment="Price, inside the band of the product's search."),
    sa.Column("currency", sa.CHAR(3), nullable=False, comment="Currency of the price."),
    sa.Column("condition_id", sa.Text, nullable=False, comment="eBay's condition; 1000 is brand new."),
    sa.Column("is_fixed_price", sa.Boolean, nullable=False, comment="Whether it can be bought at once."),
    sa.Column("is_delivery_free", sa.Boolean, nullable=False, comment="Whether delivery in the US costs nothing."),
    sa.Column("country", sa.CHAR(2), nullable=False, comment="Where the item is."),
    sa.Column("url", sa.Text, nullable=False, comment="The listing's page."),
    sa.Column("first_collection_id", sa.Text, nullable=False, comment="Collection that saw it first."),
    sa.Column("last_collection_id", sa.Text, nullable=False, comment="Collection that saw it last."),
    sa.Column("first_seen_at", MOMENT, nullable=False, server_default=_now(), comment="When it was first seen."),
    sa.Column("last_seen_at", MOMENT, nullable=False, server_default=_now(), comment="When it was last seen."),
    sa.Column("gone_at", MOMENT, comment="When a complete search no longer found it; null while it is current."),
    sa.Column(
        "match", MATCH, comment="How likely it is the product, 0 to 1; people's word is 0 or 1; null if unknown."
    ),
    sa.Column("match_reasons", sa.Text, comment="What the match rests on, in a few words separated by semicolons."),
    sa.Index(None, "seller_key", "marketplace", "org_id"),
    comment="Listings found for a product: the evidence that a seller sells it. Each obeyed every rule when seen.",
)

listing_judgements = sa.Table(
    "listing_judgements",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True, comment="Order of the judgements."),
    sa.Column("org_id", sa.Text, nullable=False, comment="Organisation that it counts for."),
    sa.Column("asin", sa.Text, nullable=False, comment="The product."),
    sa.Column("listing_id", sa.Text, nullable=False, comment="The listing that was found for it."),
    sa.Column("marketplace", sa.Text, nullable=False, comment="Where the listing is: ebay."),
    sa.Column("seller_key", sa.Text, nullable=False, comment="Whose listing it was."),
    sa.Column("is_same", sa.Boolean, nullable=False, comment="Whether it is the product: confirmed or rejected."),
    sa.Column("reason", sa.Text, comment="Why, in the person's words."),
    sa.Column("actor", sa.Text, nullable=False, comment="Who judged."),
    sa.Column("judged_at", MOMENT, nullable=False, server_default=_now(), comment="When."),
    sa.Column("withdrawn_by", sa.Text, comment="Who took it back, or judged anew; null while it is in force."),
    sa.Column("withdrawn_at", MOMENT, comment="When; null while it is in force."),
    sa.Index(
        "uq_listing_judgements_in_force",
        "org_id",
        "asin",
        "listing_id",
        unique=True,
        postgresql_where=sa.text("withdrawn_at IS NULL"),
    ),
    sa.Index(None, "seller_key"),
    comment="People's word on whether a listing is the product. It wins over the match and outlives collections.",
)

sellers = sa.Table(
    "sellers",
    metadata,
    sa.Column("org_id", sa.Text, primary_key=True, comment="Organisation whose list it is on."),
    sa.Column("marketplace", sa.Text, primary_key=True, comment="Where the account is: ebay."),
    sa.Column("seller_key", sa.Text, primary_key=True, comment="Normalised name: who it is, also after a rename."),
    sa.Column("display_name", sa.Text, nullable=False, comment="Name for people."),
    sa.Column("status", sa.Text, nullable=False, server_default="active", comment="active or removed."),
    sa.Column("note", sa.Text, comment="What people wrote about it."),
    sa.Column("is_flagged", sa.Boolean, nullable=False, server_default=sa.false(), comment="Marked by somebody."),
    sa.Column("exported_at", MOMENT, comment="When it was last part of an export; null if it never was."),
    sa.Column("feedback_score", sa.Integer, comment="Feedback score when last seen; null where not said."),
    sa.Column("feedback_percent", sa.Numeric(4, 1), comment="Share of positive feedback when last seen."),
    sa.Column("listing_count", sa.Integer, nullable=False, server_default="0", comment="Its current listings."),
    sa.Column("product_count", sa.Integer, nullable=False, server_default="0", comment="Products it lists now."),
    sa.Column("first_collection_id", sa.Text, comment="Collection that brought it; null if added by hand."),
    sa.Column("last_collection_id", sa.Text, comment="Collection that saw it last; null if none did."),
    sa.Column("first_seen_at", MOMENT, nullable=False, server_default=_now(), comment="When it came onto the list."),
    sa.Column("last_seen_at", MOMENT, nullable=False, server_default=_now(), comment="When it was last seen."),
    _one_of("status", "active", "removed"),
    sa.Index(None, "first_collection_id", "org_id"),
    sa.Index(None, "status", "org_id"),
    sa.Index(None, "seller_key"),
    _for_pages("ix_sellers_by_name", "lower(display_name)", "seller_key", "marketplace"),
    _for_pages("ix_sellers_by_products", "product_count", "seller_key", "marketplace"),
    _for_pages("ix_sellers_by_first_seen", "first_seen_at", "seller_key", "marketplace"),
    _for_pages("ix_sellers_by_export", "exported_at"),
    _for_pages("ix_sellers_flagged", where="is_flagged"),
    _for_words("ix_sellers_words", "display_name"),
    comment="The seller list of each organisation: one row per account.",
)

_FIGURES_ORG = "Organisation whose figures they are."

product_figures = sa.Table(
    "product_figures",
    metadata,
    sa.Column("org_id", sa.Text, primary_key=True, comment=_FIGURES_ORG),
    sa.Column("asin", sa.Text, primary_key=True, comment="The product."),
    sa.Column(
        "categories",
        sa.ARRAY(sa.Text),
        nullable=False,
        server_default="{}",
        comment="Categories whose current list of best sellers it is on.",
    ),
    sa.Column("listings", sa.Integer, nullable=False, server_default="0", comment="Its current listings."),
    sa.Column("sellers", sa.Integer, nullable=False, server_default="0", comment="Sellers who have one."),
    sa.Column("price_low", MONEY, comment="Lowest price; null without a listing."),
    sa.Column("price_median", MONEY, comment="Median price."),
    sa.Column("price_high", MONEY, comment="Highest price."),
    sa.Index(
        "ix_product_figures_most_sellers",
        sa.text("sellers DESC"),
        "asin",
        postgresql_where=sa.text("categories <> '{}' AND sellers > 0"),
    ),
    _for_pages("ix_product_figures_by_sellers", "sellers", "asin", where="categories <> '{}'"),
    _for_pages(
        "ix_product_figures_by_spread",
        "coalesce(price_high - price_low, 0)",
        "asin",
        where="categories <> '{}'",
    ),
    comment="What the current listings of each product come to. Kept by triggers, true at any moment.",
)

seller_products = sa.Table(
    "seller_products",
    metadata,
    sa.Column("org_id", sa.Text, primary_key=True, comment=_FIGURES_ORG),
    sa.Column("asin", sa.Text, primary_key=True, comment="The product."),
    sa.Column("marketplace", sa.Text, primary_key=True, comment="Where the account is: ebay."),
    sa.Column("seller_key", sa.Text, primary_key=True, comment="The seller."),
    sa.Column("listings", sa.Integer, nullable=False, comment="The seller's current listings of the product."),
    sa.Column("match", MATCH, comment="The best match among them; null where none has one."),
    sa.Index(None, "seller_key", "marketplace", "org_id"),
    comment="Who sells which product now. Kept by triggers, true at any moment.",
)

seller_categories = sa.Table(
    "seller_categories",
    metadata,
    sa.Column("org_id", sa.Text, primary_key=True, comment=_FIGURES_ORG),
    sa.Column("marketplace", sa.Text, primary_key=True, comment="Where the account is: ebay."),
    sa.Column("seller_key", sa.Text, primary_key=True, comment="The seller."),
    sa.Column("category", sa.Text, primary_key=True, comment="A category whose best sellers it sells."),
    sa.Column("best_sellers", sa.Integer, nullable=False, comment="How many of them."),
    sa.Index("ix_seller_categories_of_category", "category", sa.text("best_sellers DESC"), "org_id"),
    sa.Index("ix_seller_categories_none", "org_id", postgresql_where=sa.text("best_sellers = 0")),
    comment="How many best sellers of which category each seller sells now. Kept by triggers.",
)

seller_figures = sa.Table(
    "seller_figures",
    metadata,
    sa.Column("org_id", sa.Text, primary_key=True, comment=_FIGURES_ORG),
    sa.Column("marketplace", sa.Text, primary_key=True, comment="Where the account is: ebay."),
    sa.Column("seller_key", sa.Text, primary_key=True, comment="The seller."),
    sa.Column("products", sa.Integer, nullable=False, server_default="0", comment="Products it sells now."),
    sa.Column(
        "best_sellers",
        sa.Integer,
        nullable=False,
        server_default="0",
        comment="Those that are on a category's current list.",
    ),
    sa.Column(
        "categories",
        sa.Integer,
        nullable=False,
        server_default="0",
        comment="Categories that these are on the lists of.",
    ),
    sa.Column(
        "matched_products",
        sa.Integer,
        nullable=False,
        server_default="0",
        comment="Products of which a listing of its has a match of at least 0.5.",
    ),
    sa.Column("best_match", MATCH, comment="The best match among its current listings; null where none has one."),
    sa.Index("ix_seller_figures_most_best_sellers", sa.text("best_sellers DESC"), "seller_key"),
    sa.Index("ix_seller_figures_none", "org_id", postgresql_where=sa.text("products = 0")),
    comment="What each seller sells now, also before it is on the list. Kept by triggers, true at any moment.",
)

seller_sightings = sa.Table(
    "seller_sightings",
    metadata,
    sa.Column("collection_id", sa.ForeignKey("collections.collection_id"), primary_key=True, comment="The collection."),
    sa.Column("marketplace", sa.Text, primary_key=True, comment="Where the account is: ebay."),
    sa.Column("seller_key", sa.Text, primary_key=True, comment="The seller."),
    sa.Index(None, "marketplace", "seller_key"),
    comment="Which collections saw which sellers.",
)

seller_audit_log = sa.Table(
    "seller_audit_log",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True, comment="Order of the changes."),
    sa.Column("org_id", sa.Text, nullable=False, comment="Organisation whose list changed."),
    sa.Column(
        "action",
        sa.Text,
        nullable=False,
        comment="discovered or returned by a collection; added, updated, removed, flagged, bulk_added, bulk_removed, "
        "imported, undone, rekeyed or erased by a person.",
    ),
    sa.Column("actor", sa.Text, nullable=False, comment="Who did it; a collection acts by its run."),
    sa.Column("source", sa.Text, nullable=False, comment="collection, manual or import."),
    sa.Column("collection_id", sa.Text, comment="Collection that did it, if one did."),
    sa.Column("category", sa.Text, comment="Category whose run did it, if one did."),
    sa.Column("affected_count", sa.Integer, nullable=False, comment="How many sellers changed."),
    sa.Column("old_values", JSONB, nullable=False, comment="The changed sellers before: a list of objects."),
    sa.Column("new_values", JSONB, nullable=False, comment="The changed sellers after: a list of objects."),
    sa.Column("seller_count_snapshot", sa.BigInteger, nullable=False, comment="Active sellers after the change."),
    sa.Column("undoes", sa.ForeignKey("seller_audit_log.id"), comment="The change that this one takes back."),
    sa.Column("detail", sa.Text, comment="More about it: the imported file, the reason that was given."),
    sa.Column("created_at", MOMENT, nullable=False, server_default=sa.text("clock_timestamp()"), comment="When."),
    _one_of("source", "collection", "manual", "import"),
    sa.Index(None, "org_id", "id"),
    sa.Index(None, "org_id", "created_at"),
    sa.Index(None, "collection_id"),
    sa.Index("uq_seller_audit_log_undoes", "undoes", unique=True),
    comment="Every change of a seller list. Replayed from empty it gives the live list.",
)

seller_versions = sa.Table(
    "seller_versions",
    metadata,
    sa.Column("org_id", sa.Text, primary_key=True, comment="Organisation whose list it is on."),
    sa.Column("marketplace", sa.Text, primary_key=True, comment="Where the account is: ebay."),
    sa.Column("seller_key", sa.Text, primary_key=True, comment="The seller."),
    sa.Column("from_audit_id", sa.BigInteger, primary_key=True, comment="The change that made it so."),
    sa.Column("to_audit_id", sa.BigInteger, comment="The change that ended it; null while it is so."),
    sa.Column("display_name", sa.Text, nullable=False, comment="Name for people, then."),
    sa.Column("status", sa.Text, nullable=False, comment="active or removed, then."),
    sa.Column("note", sa.Text, comment="Note, then."),
    sa.Column("is_flagged", sa.Boolean, nullable=False, comment="Whether it was flagged, then."),
    sa.Index(
        "ix_seller_versions_present", "org_id", "marketplace", "seller_key", postgresql_where="to_audit_id IS NULL"
    ),
    comment="Every state of every seller that the audit log tells of; kept by the database with each new row of it.",
)

seller_exports = sa.Table(
    "seller_exports",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True, comment="Order of the exports."),
    sa.Column("org_id", sa.Text, nullable=False, comment="Organisation whose sellers were exported."),
    sa.Column("actor", sa.Text, nullable=False, comment="Who exported them."),
    sa.Column("file", sa.Text, nullable=False, comment="Name of the file."),
    sa.Column("selection", sa.Text, nullable=False, comment="Which sellers: all, or by what they were chosen."),
    sa.Column("sellers", sa.BigInteger, nullable=False, comment="How many sellers the file holds."),
    sa.Column("are_names_hashed", sa.Boolean, nullable=False, comment="Whether names were replaced by keyed hashes."),
    sa.Column("exported_at", MOMENT, nullable=False, server_default=_now(), comment="When."),
    sa.Index(None, "org_id", "exported_at"),
    comment="Every export of sellers.",
)

erased_sellers = sa.Table(
    "erased_sellers",
    metadata,
    sa.Column("digest", sa.LargeBinary, primary_key=True, comment="SHA-256 of salt, marketplace and key."),
    sa.Column("salt", sa.Text, nullable=False, comment="Random, one per row."),
    sa.Column("erased_at", MOMENT, nullable=False, server_default=_now(), comment="When it was erased."),
    comment="Who asked to be forgotten, without the name: enough to recognise the account, and to leave it out.",
)

key_changes = sa.Table(
    "key_changes",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True, comment="Order of detection."),
    sa.Column("org_id", sa.Text, nullable=False, comment="Organisation whose list is concerned."),
    sa.Column("collection_id", sa.Text, nullable=False, comment="Collection that met it."),
    sa.Column("category", sa.Text, nullable=False, comment="Category in which it was met."),
    sa.Column("known_listings", sa.Integer, nullable=False, comment="Known listings that were seen again."),
    sa.Column("changed_listings", sa.Integer, nullable=False, comment="Those that name another seller now."),
    sa.Column("decision", sa.Text, comment="same_accounts or other_accounts; null while nobody has decided."),
    sa.Column("decided_by", sa.Text, comment="Who decided."),
    sa.Column("decided_at", MOMENT, comment="When."),
    sa.Column("detected_at", MOMENT, nullable=False, server_default=_now(), comment="When it was met."),
    _one_of("decision", "same_accounts", "other_accounts"),
    sa.Index(None, "org_id", "decision"),
    comment="Listings that suddenly name other sellers in bulk: renamed accounts, or new ones? A person decides.",
)

analysts = sa.Table(
    "analysts",
    metadata,
    sa.Column("role_name", sa.Text, primary_key=True, comment="Name of the login role in Postgres."),
    sa.Column("org_id", sa.Text, primary_key=True, comment="Organisation whose rows it may read."),
    comment="Which logins may read which organisation's rows; kept by administrators.",
)

purges = sa.Table(
    "purges",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True, comment="Order of the purges."),
    sa.Column("table_name", sa.Text, nullable=False, comment="Table that was purged."),
    sa.Column("older_than", MOMENT, nullable=False, comment="Rows older than this were removed."),
    sa.Column("removed", sa.BigInteger, nullable=False, comment="How many rows."),
    sa.Column("purged_at", MOMENT, nullable=False, server_default=_now(), comment="When."),
    comment="What was removed because its time was over.",
)

seller_count_snapshots = sa.Table(
    "seller_count_snapshots",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True, comment="Order of the snapshots."),
    sa.Column("org_id", sa.Text, nullable=False, comment="Organisation whose list was counted."),
    sa.Column("collection_id", sa.Text, comment="Collection that had ended; null for a count by hand."),
    sa.Column("ending", sa.Integer, comment="Which ending of the collection, from 1; a resumed one ends again."),
    sa.Column("seller_count", sa.BigInteger, nullable=False, comment="Active sellers on the list."),
    sa.Column("new_sellers", sa.Integer, nullable=False, comment="Sellers that it brought onto the list."),
    sa.Column("cause", sa.Text, nullable=False, comment="collection, manual or import."),
    sa.Column("audit_id", sa.ForeignKey("seller_audit_log.id"), comment="The edit that was counted after, if one was."),
    sa.Column("taken_at", MOMENT, nullable=False, server_default=sa.text("clock_timestamp()"), comment="When."),
    sa.UniqueConstraint("collection_id", "ending", name="uq_seller_count_snapshots_ending"),
    sa.Index(None, "org_id", "taken_at"),
    comment="How many sellers a list held, after every collection and every edit.",
)

activity_events = sa.Table(
    "activity_events",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True, comment="Order of arrival."),
    sa.Column("timestamp", MOMENT, primary_key=True, comment="When it happened."),
    sa.Column("run_id", sa.Text, nullable=False, comment="Dagster run."),
    sa.Column("collection_id", sa.Text, nullable=False, comment="Collection of the run."),
    sa.Column("worker_id", sa.SmallInteger, nullable=False, comment="1 to 5; 0 is the system."),
    sa.Column("phase", sa.Text, nullable=False, comment="amazon or ebay."),
    sa.Column("action", sa.Text, nullable=False, comment="fetching, found, rate_limited, error, complete, …"),
    sa.Column("category", sa.Text, nullable=False, comment="Category of the run."),
    sa.Column("product_name", sa.Text, comment="Title of the product being searched."),
    sa.Column("new_sellers_count", sa.Integer, comment="Sellers new to the list."),
    sa.Column("error_message", sa.Text, comment="The failure in words."),
    sa.Column("url", sa.Text, comment="Address of the request, without secrets."),
    sa.Column("api_params", JSONB, nullable=False, comment="What was asked for, without secrets."),
    sa.Column("duration_ms", sa.Integer, comment="Time taken, in milliseconds."),
    sa.Column("attempt", sa.SmallInteger, comment="Which attempt of a request it was, from 1."),
    sa.Column("error_type", sa.Text, comment="Kind of the failure."),
    sa.Column("error_stage", sa.Text, comment="Where it failed: api, product_extraction, seller_extraction, …"),
    sa.Column("items_count", sa.Integer, comment="Items found, or rows written."),
    sa.Index(None, "collection_id", "id"),
    sa.Index(None, "run_id", "id"),
    comment="Everything that workers and the system did. One partition a week.",
    postgresql_partition_by="RANGE (timestamp)",
)

api_usage = sa.Table(
    "api_usage",
    metadata,
    sa.Column("source", sa.Text, primary_key=True, comment="oxylabs or ebay."),
    sa.Column("operation", sa.Text, primary_key=True, comment="best_sellers, search or token."),
    sa.Column(
        "day", sa.Date, primary_key=True, comment="Day in the vendor's time zone: eBay's turns at midnight Pacific."
    ),
    sa.Column("calls", sa.BigInteger, nullable=False, comment="Calls, counted before they were made."),
    sa.Column(
        "cost", sa.Numeric(14, 4), nullable=False, comment="Their cost in the vendor's unit (quota calls, results)."
    ),
    comment="Calls to the marketplaces by day.",
)

source_rates = sa.Table(
    "source_rates",
    metadata,
    sa.Column("source", sa.Text, primary_key=True, comment="oxylabs or ebay."),
    sa.Column("next_at", MOMENT, nullable=False, comment="The next moment that no request has taken yet."),
    sa.Column("vendor_requests_per_s", sa.Double, comment="What the vendor says it allows; null where it does not."),
    comment="The request rate that all runs share: each request takes the next moment.",
)

requests_in_flight = sa.Table(
    "requests_in_flight",
    metadata,
    sa.Column("source", sa.Text, primary_key=True, comment="oxylabs or ebay."),
    sa.Column("number", sa.Integer, primary_key=True, comment="The place, from 1 to what is allowed at a time."),
    sa.Column("holder", sa.Text, comment="Whose request has the place, or had it last."),
    sa.Column(
        "held_until",
        MOMENT,
        nullable=False,
        server_default=sa.text("'-infinity'"),
        comment="When the lease of the place ends; it is free from then on.",
    ),
    comment="Places for requests in flight, which all runs share. They are leased, so one that died frees its own.",
)

run_leases = sa.Table(
    "run_leases",
    metadata,
    sa.Column("run_id", sa.Text, primary_key=True, comment="The Dagster run."),
    sa.Column("holder", sa.Text, nullable=False, comment="The process that works on it, and its machine."),
    sa.Column("taken_at", MOMENT, nullable=False, comment="When it took the run."),
    sa.Column(
        "held_until",
        MOMENT,
        nullable=False,
        comment="When the lease ends unless it is renewed; the process ends before.",
    ),
    sa.Column(
        "is_stopping",
        sa.Boolean,
        nullable=False,
        server_default=sa.false(),
        comment="Whether the process was asked to stop.",
    ),
    comment="Runs that workers have taken. A worker that has died, or lost the database, loses its runs by itself.",
)

locks = sa.Table(
    "locks",
    metadata,
    sa.Column("name", sa.Text, primary_key=True, comment="What only one transaction at a time may hold."),
    comment="Rows that transactions lock to take turns: a list, a collection's events.",
)

activity_channel = sa.Table(
    "activity_channel",
    metadata,
    sa.Column("channel", sa.Text, primary_key=True, comment="Name for LISTEN; whoever knows it can listen."),
    comment="The channel on which new events are announced: one row with a random name.",
)

alerts = sa.Table(
    "alerts",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True, comment="Order in which they were raised."),
    sa.Column("cause", sa.Text, nullable=False, comment="collection_ended, run_failed, check_failed, …"),
    sa.Column("subject", sa.Text, nullable=False, comment="What it is about; a cause and subject share a message."),
    sa.Column("event", sa.Text, nullable=False, comment="What exactly happened: it is raised once."),
    sa.Column("text", sa.Text, nullable=False, comment="The alert in words."),
    sa.Column("path", sa.Text, nullable=False, comment="Its page in the Dagster UI, without the address of that."),
    sa.Column("happened_at", MOMENT, nullable=False, comment="When it happened."),
    sa.Column("raised_at", MOMENT, nullable=False, server_default=_now(), comment="When it was noticed."),
    sa.Column("claimed_at", MOMENT, comment="When its message was last begun to be sent."),
    sa.Column("sent_at", MOMENT, comment="When the webhook took its message; null while it waits."),
    sa.UniqueConstraint("cause", "event", name="uq_alerts_event"),
    sa.Index(None, "cause", "subject", "claimed_at"),
    sa.Index("ix_alerts_waiting", "id", postgresql_where=sa.text("sent_at IS NULL")),
    comment="What people were, or are to be, told of through the webhook.",
)
