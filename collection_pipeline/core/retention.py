"""How long what is kept: one rule per table, with the reason for its default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from collection_pipeline.core.errors import PipelineError

LONGEST_DAYS = 36_500
"""A hundred years: more is a slip, and at some point no date."""


@dataclass(frozen=True, slots=True)
class RetentionRule:
    """Rows of `table` whose `column` is older than `days` are removed; None keeps them. `only` narrows which rows."""

    table: str
    column: str
    days: int | None
    reason: str
    only: str = "true"


RULES: tuple[RetentionRule, ...] = (
    RetentionRule("activity_events", "timestamp", 90, "Nobody looks into single actions after a quarter."),
    RetentionRule(
        "best_seller_pages", "fetched_at", 7, "Pages of a list that was never finished are of no use after a week."
    ),
    RetentionRule(
        "ebay_listings",
        "gone_at",
        30,
        "eBay asks that content no longer public be deleted; a month allows one more comparison.",
        only="gone_at IS NOT NULL",
    ),
    RetentionRule("amazon_product_history", "seen_at", 730, "Two years of positions and prices, for the same season."),
    RetentionRule(
        "listing_judgements",
        "withdrawn_at",
        730,
        "What people say of a listing stays in force; what they took back, for as long as somebody may ask.",
        only="withdrawn_at IS NOT NULL",
    ),
    RetentionRule("seller_exports", "exported_at", 730, "Who exported what, for as long as somebody may ask."),
    RetentionRule("alerts", "raised_at", 90, "An alert is of interest as long as what it is about."),
)
"""Every table that is purged. The list, its audit log and its counts are kept: they are what the team works with."""


@dataclass(frozen=True, slots=True)
class Purge:
    """What one rule removes now: rows older than `older_than`."""

    rule: RetentionRule
    older_than: datetime


def with_days(chosen: Mapping[str, int | None]) -> tuple[RetentionRule, ...]:
    """The rules with other numbers of days for some tables. Raises PipelineError for a table that has no rule."""
    known = {rule.table for rule in RULES}
    if unknown := sorted(chosen.keys() - known):
        raise PipelineError(f"There is no retention of {', '.join(unknown)}; there is of {', '.join(sorted(known))}.")
    return tuple(
        RetentionRule(rule.table, rule.column, chosen.get(rule.table, rule.days), rule.reason, rule.only)
        for rule in RULES
    )


def due(rules: tuple[RetentionRule, ...], now: datetime) -> list[Purge]:
    """What has to be removed now."""
    return [Purge(rule, now - timedelta(days=rule.days)) for rule in rules if rule.days is not None]
