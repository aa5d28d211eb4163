"""The settings of the scheduled collection (COLLECTION_SCHEDULE_…)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import TypeVar

from collection_pipeline.core.collecting.scheduling import ScheduleConfig, WrongSchedule
from collection_pipeline.core.collecting.tariff import read_budget
from collection_pipeline.core.collecting.usage import LARGEST_COST
from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.money import BandRule, Money
from collection_pipeline.settings.values import flag, given, shown

PREFIX = "COLLECTION_SCHEDULE_"


def schedule_config(environment: Mapping[str, str]) -> ScheduleConfig:
    """Reads COLLECTION_SCHEDULE_CRON and its like. An empty value counts as none. Raises PipelineError."""
    values = {key.removeprefix(PREFIX): value for key, value in given(environment).items() if key.startswith(PREFIX)}
    default = ScheduleConfig()
    band, cost_cap = _band(values, default.band), _number(values, "CAP", default.cost_cap, least=0)
    try:
        return ScheduleConfig(
            name=values.get("NAME", default.name),
            cron=values.get("CRON", default.cron),
            timezone=values.get("TIMEZONE", default.timezone),
            preset=values.get("PRESET", default.preset),
            band=band,
            cost_cap=cost_cap,
            budget=_budget(values),
            as_far_as_it_goes=flag(given(environment), f"{PREFIX}AS_FAR_AS_IT_GOES"),
        )
    except WrongSchedule as wrong:
        raise _wrong(wrong.field.upper(), wrong.value, wrong.needed) from None


def _band(values: Mapping[str, str], default: BandRule) -> BandRule:
    low = _number(values, "MIN_MARKUP", default.min_markup_percent)
    high = _number(values, "MAX_MARKUP", default.max_markup_percent)
    try:
        return BandRule(low, high)
    except PipelineError as error:
        raise PipelineError(f"{PREFIX}MIN_MARKUP and {PREFIX}MAX_MARKUP make no price band. {error}") from None


def _budget(values: Mapping[str, str]) -> int | Money | None:
    try:
        return read_budget(values["BUDGET"]) if "BUDGET" in values else None
    except PipelineError:
        raise _wrong("BUDGET", values["BUDGET"], "a number of calls, or an amount such as 25 USD") from None


_Default = TypeVar("_Default", Decimal, Decimal | None)


def _number(values: Mapping[str, str], name: str, default: _Default, least: int | None = None) -> Decimal | _Default:
    if name not in values:
        return default
    try:
        number = Decimal(values[name])
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or (least is not None and not least <= number <= LARGEST_COST):
        raise _wrong(name, values[name], "a number" if least is None else f"a number from {least} to {LARGEST_COST}")
    return number


def _wrong(name: str, value: str, needed: str) -> PipelineError:
    return PipelineError(f"{PREFIX}{name} is {shown(value)}; it must be {needed}.")
