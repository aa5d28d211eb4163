"""What a simulated marketplace is like: its size, its speed, its limits and its faults."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Literal, get_args

from collection_pipeline.simulator.faults import Fault

Window = Literal["error", "empty"]
PageTwo = Literal["by_node", "continues", "restarts"]


@dataclass(frozen=True)
class SimulatorConfig:
    """One simulated marketplace. Raises ValueError, with one sentence, for a value that cannot be."""

    seed: int = 1
    """Everything there is follows from the seed, the sizes and the day: products, prices, listings, sellers."""
    day: int = 0
    """Days since the marketplace opened. Sellers and listings come and go, prices change, best sellers move; a day
    that is set again is the same again."""
    products_per_page: int = 50
    """Positions on a page of best sellers; a page shows between 76 and 100 % of them (38..50, as seen)."""
    pages: int = 2
    """Pages of best sellers per node; asking beyond them faults, as Amazon's page 3 does."""
    listings_per_product: int = 30
    """eBay listings of an average product, those that match no search of ours included."""
    sellers: int = 2_000
    """eBay accounts that share all listings between them."""
    overlap: float = 0.2
    """Share of a category's products that come from a pool common to all categories."""
    share_without_price: float = 0.06
    """Share of products whose Amazon price is not seen (0 and "", as in Oxylabs' own sample)."""
    share_matching: float = 0.5
    """Share of a product's listings that are new, fixed price, free delivery, in the US and inside the default band."""
    share_without_listings: float = 0.03
    """Share of products that nobody sells on eBay."""
    share_lookalikes: float = 0.25
    """Share of the listings that began after day 0 which offer something else under the product's words: a pack, an
    accessory, another size, a bundle. They obey every rule of the search."""

    amazon_latency_s: float = 0.0
    """How long Oxylabs takes for a page (20 to 24 s in life)."""
    ebay_latency_s: float = 0.0
    """How long an eBay search takes (0.4 to 0.9 s in life)."""
    latency_jitter: float = 0.2
    """By which share, up and down, a single answer's latency differs."""
    oxylabs_rate_per_s: int | None = None
    """Result pages per second before 429; None is without limit (50 in most of Oxylabs' plans)."""
    oxylabs_render_rate_per_s: int | None = None
    """Rendered pages per second before 429; None is without limit (13 in most of Oxylabs' plans)."""
    ebay_rate_per_s: int | None = None
    """Searches per second before the edge answers 429; None is without limit. eBay documents no such limit."""
    ebay_daily_quota: int | None = None
    """Searches per Pacific day before 429/2001; None is without limit (5,000 for a new application)."""

    unknown_nodes: frozenset[str] = frozenset()
    """Browse nodes that do not exist, besides every node that starts with 999 or is no number."""
    page_two: PageTwo = "by_node"
    """Whether positions on a second page go on (51) or restart (1): unknown in life, so both are seen by default."""
    ebay_window: Window = "error"
    """What an offset of 10,000 gives: 400/12029 as specified, or silently nothing as once seen live."""
    whole_words_only: bool = False
    """Whether a last word of `q` that is cut in its middle finds nothing. By default it still finds the whole word."""
    seller_ids: bool = False
    """Whether `seller.username` carries eBay's immutable user id (docs/sources.md 4)."""
    bulk_threshold_code: int = 12099
    """errorId of the bulk transfer threshold; eBay does not publish it."""
    bulk_threshold_status: int = 403
    """HTTP status of the same error, as unpublished."""

    oxylabs_credentials: tuple[str, str] | None = field(default=None, repr=False)
    """The one user and password accepted; None accepts any that are not empty."""
    ebay_credentials: tuple[str, str] | None = field(default=None, repr=False)
    """The one client id and secret accepted; None accepts any that are not empty."""
    token_lifetime_s: float = 7200
    """How long an eBay token is good."""
    rate_limits_lag_s: float = 600
    """How far eBay's own count of calls, getRateLimits, lags behind (more than 10 min seen live)."""
    rate_limits_empty: bool = False
    """Whether getRateLimits answers 204 without a body, as sandboxes do."""
    job_lifetime_s: float = 86400
    """How long the results of a Push-Pull job can be fetched."""
    clock_offset_s: float = 0.0
    """How far the simulator's clock is ahead of the real one: turns the quota's day without waiting for it."""
    faults: tuple[Fault, ...] = ()
    """Faults switched on from the start."""

    def __post_init__(self) -> None:
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            if value is None and name in _OPTIONAL:
                continue
            if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
                raise ValueError(f"{name} is {value!r}; it must be a number from {low:g} to {high:g}.")
            if name in _WHOLE and not isinstance(value, int):
                raise ValueError(f"{name} is {value!r}; it must be a whole number.")
        for name, choices in (("page_two", get_args(PageTwo)), ("ebay_window", get_args(Window))):
            if getattr(self, name) not in choices:
                raise ValueError(f"{name} is {getattr(self, name)!r}; it must be one of {', '.join(choices)}.")
        for name in ("whole_words_only", "seller_ids", "rate_limits_empty"):
            if not isinstance(getattr(self, name), bool):
                raise ValueError(f"{name} is {getattr(self, name)!r}; it must be true or false.")
        for name in ("oxylabs_credentials", "ebay_credentials"):
            pair = getattr(self, name)
            if pair is not None and (not isinstance(pair, tuple | list) or len(pair) != 2 or not all(pair)):
                raise ValueError(f"{name} must be two texts that are not empty.")


_RANGES: dict[str, tuple[float, float]] = {
    "seed": (0, 2**63),
    "day": (0, 3650),
    "products_per_page": (1, 100),
    "pages": (1, 9),
    "listings_per_product": (0, 5000),
    "sellers": (1, 1_000_000),
    "overlap": (0, 1),
    "share_without_price": (0, 1),
    "share_matching": (0, 1),
    "share_without_listings": (0, 1),
    "share_lookalikes": (0, 1),
    "amazon_latency_s": (0, 600),
    "ebay_latency_s": (0, 600),
    "latency_jitter": (0, 1),
    "oxylabs_rate_per_s": (1, 1_000_000),
    "oxylabs_render_rate_per_s": (1, 1_000_000),
    "ebay_rate_per_s": (1, 1_000_000),
    "ebay_daily_quota": (0, 1_000_000_000),
    "bulk_threshold_code": (1, 999_999),
    "bulk_threshold_status": (400, 599),
    "token_lifetime_s": (0, 10_000_000),
    "rate_limits_lag_s": (0, 10_000_000),
    "job_lifetime_s": (0, 10_000_000),
    "clock_offset_s": (-1e9, 1e9),
}
_OPTIONAL = {"oxylabs_rate_per_s", "oxylabs_render_rate_per_s", "ebay_rate_per_s", "ebay_daily_quota"}
_WHOLE = {
    "seed",
    "day",
    "products_per_page",
    "pages",
    "listings_per_product",
    "sellers",
    "bulk_threshold_code",
    "bulk_threshold_status",
} | _OPTIONAL

WORLD_FIELDS = frozenset(
    {
        "seed",
        "products_per_page",
        "pages",
        "listings_per_product",
        "sellers",
        "overlap",
        "share_without_price",
        "share_matching",
        "share_without_listings",
        "share_lookalikes",
        "unknown_nodes",
        "page_two",
    }
)
"""Fields that decide which world it is. They are fixed at start; the others, the day too, change while it runs."""

RUNTIME_FIELDS = frozenset(each.name for each in fields(SimulatorConfig)) - WORLD_FIELDS - {"faults"}
"""Fields that `POST /_control/config` may change; faults have an address of their own."""
