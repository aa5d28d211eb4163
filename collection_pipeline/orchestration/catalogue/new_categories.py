"""Categories that are added to the catalogue are collected, once somebody has switched that on: it costs calls."""

import json

import dagster as dg

from collection_pipeline.actions.starting import CollectionRequest, start_collection
from collection_pipeline.core.catalogue import newly_added
from collection_pipeline.core.errors import PipelineError
from collection_pipeline.orchestration.clock import utc_now
from collection_pipeline.orchestration.sensing import sensor
from collection_pipeline.orchestration.sensor_store import SensorOutcome, with_store
from collection_pipeline.settings.pipeline import Settings
from collection_pipeline.tables.store import Store


@sensor(every_s=10, is_on=False)
def collect_new_categories(context: dg.SensorEvaluationContext, settings: dg.ResourceParam[Settings]) -> SensorOutcome:
    """Starts a collection of categories that came into the catalogue since the last look. Off until switched on.

    The first look only takes note of what there is. The cursor holds the categories known so far; it moves on when the
    collection is started, so that none is forgotten.
    """

    def look(store: Store) -> dg.SensorResult:
        current = set(store.catalogue.current().categories)
        new = newly_added(_known(context.cursor), current)
        if new:
            request = CollectionRequest(categories=tuple(sorted(new)), name=f"new-categories-{utc_now():%Y%m%d-%H%M%S}")
            try:
                start_collection(store, settings.org_id, request, utc_now(), tariff=settings.tariff)
            except PipelineError as error:
                return dg.SensorResult(skip_reason=f"{len(new)} new categories wait: {error}", cursor=context.cursor)
        said = f"Started a collection of {', '.join(sorted(new))}." if new else "No category was added."
        return dg.SensorResult(skip_reason=said, cursor=json.dumps(sorted(current)))

    return with_store(settings, look)


def _known(cursor: str | None) -> set[str] | None:
    return None if cursor is None else {str(category) for category in json.loads(cursor)}
