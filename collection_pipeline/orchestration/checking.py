"""Checks that an asset's own step evaluates right after materializing it.

A check that only reads the tables needs no step of its own, which would cost more than the check. It can be executed
alone all the same: the step then does nothing else.
"""

import inspect
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import dagster as dg

from collection_pipeline.orchestration.run_tags import collection_of
from collection_pipeline.settings.pipeline import Settings
from collection_pipeline.tables.store import Store

GROUP = "collection"
OWNERS = ["team:data"]

Evaluated = Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]
"""What the step of an asset with checks yields: its materialization, unless only checks are executed, and results."""


@dataclass(frozen=True)
class Tolerance:
    """How much a check lets pass."""

    least_share_with_price: float = 0.5
    accept_unusual: bool = False


@dataclass(frozen=True)
class Checked:
    """What a check looks at: one category as one run left it; no category for an asset without partitions."""

    store: Store
    org_id: str
    collection_id: str
    category: str
    run_id: str
    tolerance: Tolerance


@dataclass(frozen=True)
class Check:
    """A check, named and described by the function that evaluates it. A blocking one that fails ends the run."""

    evaluate: Callable[[Checked], dg.AssetCheckResult]
    is_blocking: bool = False

    @property
    def name(self) -> str:
        """As the UI shows it."""
        return self.evaluate.__name__

    def spec(self, asset: str, partitions: dg.PartitionsDefinition[str] | None) -> dg.AssetCheckSpec:
        """What Dagster knows of it before any run."""
        with warnings.catch_warnings():
            # A preview in Dagster 1.13, though `asset_check`, which makes such specs, takes partitions without a word.
            warnings.simplefilter("ignore", dg.PreviewWarning)
            return dg.AssetCheckSpec(
                name=self.name,
                asset=asset,
                description=inspect.getdoc(self.evaluate),
                blocking=self.is_blocking,
                partitions_def=partitions,
            )


def asset_with_checks(
    checks: Sequence[Check],
    *,
    kinds: set[str],
    calls: str,
    metadata: Mapping[str, dg.MetadataValue],
    deps: Sequence[dg.AssetsDefinition | str] = (),
    partitions_def: dg.PartitionsDefinition[str] | None = None,
    pool: str | None = None,
    config_schema: Mapping[str, dg.Field] | None = None,
) -> Callable[[Callable[..., Evaluated]], dg.AssetsDefinition]:
    """An asset named and described by the function that materializes it and evaluates its checks.

    `calls` is the marketplace that it calls, or "none".
    """

    def define(function: Callable[..., Evaluated]) -> dg.AssetsDefinition:
        name = function.__name__
        spec = dg.AssetSpec(
            name,
            deps=deps,
            description=inspect.getdoc(function),
            metadata=metadata,
            group_name=GROUP,
            owners=OWNERS,
            kinds=kinds,
            tags={"calls": calls},
        )
        return dg.multi_asset(
            name=name,
            specs=[spec],
            check_specs=[check.spec(name, partitions_def) for check in checks],
            can_subset=True,  # so that its checks can be executed alone
            partitions_def=partitions_def,
            pool=pool,
            config_schema=config_schema,
        )(function)

    return define


def evaluated(
    checks: Sequence[Check],
    context: dg.AssetExecutionContext,
    store: Store,
    settings: Settings,
    tolerance: Tolerance | None = None,
) -> Iterator[dg.AssetCheckResult]:
    """The results of the checks that the run has selected."""
    collection_id = collection_of(context.run)
    checked = Checked(
        store,
        store.collections.organisation(collection_id) or settings.org_id,
        collection_id,
        context.partition_key if context.has_partition_key else "",
        context.run_id,
        tolerance or Tolerance(),
    )
    selected = {key.name: key for key in context.selected_asset_check_keys}
    for check in checks:
        if key := selected.get(check.name):
            result = check.evaluate(checked)
            yield result._replace(check_name=key.name, asset_key=key.asset_key)
