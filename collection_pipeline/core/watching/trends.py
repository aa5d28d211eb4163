"""Comparing a figure with what it used to be: usual, unusual, or too early to say.

The rules are a table below; the checks and the alerts ask here, and read the figures themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

LEAST_HISTORY = 3
"""Earlier figures without which nothing can be called unusual."""


@dataclass(frozen=True, slots=True)
class HistoryRule:
    """How far a figure may be off the median of the earlier ones.

    `lowest` and `highest` are shares of that median, None for no limit. A difference up to `slack` is always usual, so
    that small figures may jump about.
    """

    what: str
    lowest: float | None
    highest: float | None
    slack: float = 0
    is_blocking: bool = False
    least_history: int = LEAST_HISTORY
    too_little: str = "few"
    """What a figure is called that is unusually low."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a comparison came to, in a sentence for people."""

    is_usual: bool
    sentence: str
    median: float | None = None


# Blocking is what would put wrong sellers on the list, or let right ones look gone: a search that suddenly finds three
# times as many listings has lost a filter. The others are told, and the run goes on.
PRODUCTS = HistoryRule("products of the category", lowest=0.5, highest=2, slack=10, is_blocking=True)
SHARE_WITHOUT_PRICE = HistoryRule("share of products without a price", lowest=None, highest=2, slack=0.1)
LISTINGS_PER_PRODUCT = HistoryRule("listings per product", lowest=1 / 3, highest=3, slack=2, is_blocking=True)
NEW_SELLERS = HistoryRule("new sellers", lowest=None, highest=5, slack=50)
# A page that has changed, or a query cut in the middle, brings listings of other products. Half is far below what a
# category's median moves by when its list of best sellers changes.
MEDIAN_MATCH = HistoryRule("median match", lowest=0.5, highest=None, slack=0.05, too_little="low")

CHECKED = (PRODUCTS, SHARE_WITHOUT_PRICE, LISTINGS_PER_PRODUCT, NEW_SELLERS, MEDIAN_MATCH)


def off_by(what: str, share: float, slack: float) -> HistoryRule:
    """A rule for a figure that is unusual if it is off the median by more than a share of it, up or down."""
    return HistoryRule(what, lowest=1 - share, highest=1 + share, slack=slack)


def compare(rule: HistoryRule, figure: float, earlier: Sequence[float]) -> Comparison:
    """Compares a figure with the earlier ones of the same kind."""
    if len(earlier) < rule.least_history:
        return Comparison(
            True, f"{_shown(figure)} {rule.what}; {len(earlier)} earlier ones are too few to compare with."
        )
    usual = float(median(earlier))
    is_low = rule.lowest is not None and figure < rule.lowest * usual
    is_high = rule.highest is not None and figure > rule.highest * usual
    is_usual = not (is_low or is_high) or abs(figure - usual) <= rule.slack
    unusual = "" if is_usual else f", unusually {rule.too_little if is_low else 'many'}"
    sentence = f"{_shown(figure)} {rule.what}{unusual}: the median of the last {len(earlier)} was {_shown(usual)}."
    return Comparison(is_usual, sentence, usual)


def _shown(figure: float) -> str:
    return f"{figure:,.0f}" if float(figure).is_integer() else f"{figure:,.2f}"
