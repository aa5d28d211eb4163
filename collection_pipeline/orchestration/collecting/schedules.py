"""Collections that begin by the clock.

A tick launches one run of the job `collection_start`, whose result is the plan; the sensor `start_collections` then
asks for one run per category, all with the plan's collection_id. A tick that asked for those itself would race with
that sensor (Dagster keeps the run keys of a schedule and of a sensor apart), and one that wrote the plan would start a
collection whenever somebody tries the schedule in the UI. So a tick only reads, and all that it can do twice is ask for
a run that finds its collection already there.
"""

import logging
from collections.abc import Mapping, Sequence

import dagster as dg
import sqlalchemy as sa

from collection_pipeline.core.collecting.scheduling import ScheduleConfig, plain_cron, reason_not_to_start
from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.money import Money
from collection_pipeline.orchestration.collecting.jobs import collection_start
from collection_pipeline.orchestration.sensor_store import kept_store
from collection_pipeline.settings.pipeline import Settings
from collection_pipeline.settings.schedule import schedule_config


def schedules_from(environment: Mapping[str, str]) -> list[dg.ScheduleDefinition]:
    """The schedule that COLLECTION_SCHEDULE_CRON and its like describe.

    Wrong values take nothing else down, and do not make a schedule vanish that somebody relies on: it stands there with
    the sentence that says what to correct, and its ticks fail with it.
    """
    try:
        return build_schedules([schedule_config(environment)])
    except PipelineError as error:
        logging.getLogger(__name__).warning("The schedule does not work. %s", error)
        return [_unusable(str(error))]


def build_schedules(configs: Sequence[ScheduleConfig]) -> list[dg.ScheduleDefinition]:
    """One schedule for each configuration; their names must differ."""
    return [_schedule(config) for config in configs]


def _schedule(config: ScheduleConfig) -> dg.ScheduleDefinition:
    @dg.schedule(
        job=collection_start,
        name=_name(config),
        cron_schedule=plain_cron(config.cron),
        execution_timezone=config.timezone,
        description=_description(config),
        default_status=dg.DefaultScheduleStatus.STOPPED,
    )
    def collection_schedule(
        context: dg.ScheduleEvaluationContext, settings: dg.ResourceParam[Settings]
    ) -> dg.RunRequest | dg.SkipReason:
        due_at = context.scheduled_execution_time
        try:
            with kept_store(settings) as store:
                reason = reason_not_to_start(config, due_at, settings.org_id, store.collections.all())
        except (PipelineError, sa.exc.DBAPIError):
            # A month's tick is not given up for a moment's outage: the run looks again, and starts nothing twice.
            reason = None
        if reason is not None:
            return dg.SkipReason(reason)
        collection_id = config.collection_id(due_at)
        return dg.RunRequest(run_key=collection_id, run_config=_run_config(config, collection_id))

    return collection_schedule


def _run_config(config: ScheduleConfig, collection_id: str) -> dict[str, object]:
    fields: dict[str, object] = {
        "own_preset": config.preset,
        "name": collection_id,
        "min_markup_percent": float(config.band.min_markup_percent),
        "max_markup_percent": float(config.band.max_markup_percent),
        "as_far_as_it_goes": config.as_far_as_it_goes,
    }
    match config.budget:
        case int() as calls:
            fields["budget"] = calls
        case Money() as money:
            fields["money_budget"] = str(money)
    if config.cost_cap is not None:
        fields["cost_cap"] = float(config.cost_cap)
    return fields


def _unusable(sentence: str) -> dg.ScheduleDefinition:
    """What stands for a schedule that is not configured rightly. It keeps the name, and with it the switch."""
    default = ScheduleConfig()

    @dg.schedule(
        job=collection_start,
        name=_name(default),
        cron_schedule=plain_cron(default.cron),
        description=f"DOES NOT WORK. {sentence}",
        default_status=dg.DefaultScheduleStatus.STOPPED,
    )
    def unusable(_context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        raise PipelineError(sentence)

    return unusable


def _name(config: ScheduleConfig) -> str:
    return f"{config.name.replace('-', '_')}_collection"


def _description(config: ScheduleConfig) -> str:
    cap = "no cost cap" if config.cost_cap is None else f"a cost cap of {config.cost_cap:,f}"
    unit = " calls" if isinstance(config.budget, int) else ""
    budget = "" if config.budget is None else f" and a budget of {config.budget}{unit}"
    return (
        f"Collects the preset {config.preset} at {config.band} with {cap}{budget}. Off until switched on. "
        "Configured by COLLECTION_SCHEDULE_CRON, _TIMEZONE, _PRESET, _NAME, _CAP, _BUDGET, _MIN_MARKUP and _MAX_MARKUP."
    )
