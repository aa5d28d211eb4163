"""Starting a collection: the same for a command, a job in the Dagster UI, and whatever runs by itself."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from collection_pipeline.core.collecting.budget import Estimate, estimate, require_affordable
from collection_pipeline.core.collecting.collections import CollectionPlan, new_collection_id
from collection_pipeline.core.collecting.planning.correcting import correction
from collection_pipeline.core.collecting.planning.plan import Plan, plan
from collection_pipeline.core.collecting.planning.shares import CategoryShare, shares
from collection_pipeline.core.collecting.tariff import BROWSE, Tariff
from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.money import BandRule, Money
from collection_pipeline.tables.collecting.collections import Collection
from collection_pipeline.tables.store import Store

DEFAULT_PRESET = "starter"


@dataclass(frozen=True)
class CollectionRequest:
    """What somebody wants collected, as they say it. Without preset, category and `again` it is the starter preset."""

    preset: str | None = None
    categories: tuple[str, ...] = ()
    again: str | None = None
    """An earlier collection whose categories are wanted once more."""
    name: str | None = None
    band: BandRule = field(default_factory=BandRule)
    cost_cap: Decimal | None = None
    budget: int | Money | None = None
    """Calls that the searches may take, or what the collection may cost in money; None is without limit."""
    as_far_as_it_goes: bool = False
    """Start even if the cap or the day's quota will not do for all of it."""


@dataclass(frozen=True)
class Started:
    """The collection that a request came to, whether it is new or was already there, and what it will probably cost."""

    collection: Collection
    is_new: bool
    estimate: Estimate
    plan: Plan


def start_collection(
    store: Store, org_id: str, request: CollectionRequest, now: datetime, *, tariff: Tariff = BROWSE
) -> Started:
    """Plans a collection, or finds the open one that is the same; a sensor starts its runs.

    Raises PipelineError for a request that makes no sense, or that costs more than its cap or the day's quotas allow.
    """
    wished = _wished(store, org_id, request, now)
    budget = _in_calls(store, wished, request.budget, tariff)
    planned = _planned(store, wished, budget)
    wanted = _estimate(store, wished, budget, tariff)
    if not request.as_far_as_it_goes:
        left_today = {source: store.governor.left_today(source) for source in wanted.calls}
        require_affordable(wanted, cap=request.cost_cap, left_today=left_today)
    collection, is_new = store.collections.start(replace(wished, shares=planned.shares))
    return Started(collection, is_new, wanted, planned.plan)


def estimate_collection(
    store: Store, org_id: str, request: CollectionRequest, now: datetime, *, tariff: Tariff = BROWSE
) -> tuple[Estimate, Plan]:
    """What a request would probably cost, and what it would search. Starts nothing.

    Raises PipelineError for a request that makes no sense.
    """
    wished = _wished(store, org_id, request, now)
    budget = _in_calls(store, wished, request.budget, tariff)
    return _estimate(store, wished, budget, tariff), _planned(store, wished, budget).plan


def _in_calls(store: Store, wished: CollectionPlan, budget: int | Money | None, tariff: Tariff) -> int | None:
    """The calls that the searches may take."""
    if isinstance(budget, Money):
        lists = _estimate(store, wished, 0, tariff).calls["oxylabs"]
        return tariff.searches_within(budget, lists=lists)
    if budget is not None and budget < 1:
        raise PipelineError(f"A budget of {budget} calls searches nothing; name at least 1.")
    return budget


def _estimate(store: Store, wished: CollectionPlan, budget: int | None, tariff: Tariff) -> Estimate:
    return estimate(wished.categories, store.collections.last_calls(wished.org_id), tariff, budget)


@dataclass(frozen=True)
class _Planned:
    plan: Plan
    shares: tuple[CategoryShare, ...]


def _planned(store: Store, wished: CollectionPlan, budget: int | None) -> _Planned:
    candidates = store.candidates.of_categories(wished.org_id, wished.band, wished.categories)
    made = plan(
        candidates,
        budget=budget,
        lately=store.candidates.first_searches(wished.org_id),
        correction=correction(store.candidates.outcomes(wished.org_id)),
    )
    return _Planned(made, shares(wished.categories, candidates, made, budget))


def _wished(store: Store, org_id: str, request: CollectionRequest, now: datetime) -> CollectionPlan:
    preset, categories = request.preset, request.categories
    if request.again is not None:
        store.collections.get(request.again)
        categories += tuple(unit.category for unit in store.collections.units(request.again))
    if preset is None and not categories:
        preset = DEFAULT_PRESET
    return CollectionPlan(
        collection_id=request.name or new_collection_id(preset or categories[0], now, org_id),
        categories=store.catalogue.current().select(preset=preset, categories=categories),
        band=request.band,
        org_id=org_id,
        preset=preset,
        cost_cap=request.cost_cap,
    )
