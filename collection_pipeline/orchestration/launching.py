"""Launch configurations that explain and check themselves, and jobs of one op that are launched with them."""

import enum
from collections.abc import Mapping
from typing import Any

import dagster as dg
from pydantic.fields import FieldInfo

CONFIGURATION = "launch_configuration"
"""Under this name the metadata of jobs and assets say what they can be launched with."""

_LIMITS = {
    "gt": "more than {}",
    "ge": "at least {}",
    "lt": "less than {}",
    "le": "at most {}",
    "min_length": "at least {} long",
    "max_length": "at most {} long",
}


def launchable(name: str, op: dg.OpDefinition, config: type[dg.Config]) -> dg.JobDefinition:
    """A job of one op, described by it, whose launch configuration is the op's own fields and nothing around them.

    Dagster's launchpad checks types and choices, and leaves bounds to the op, in a run that has begun. Mapping the
    configuration builds `config` before there is a run: a launch beyond its bounds is refused with the reason.
    """

    def to_op(fields: Mapping[str, Any]) -> Mapping[str, Any]:
        mapped: Mapping[str, Any] = dg.RunConfig({op.name: config(**fields)}).to_config_dict()  # type: ignore[no-untyped-call]
        return mapped

    @dg.graph(name=name, description=op.description)
    def alone() -> None:
        op()

    mapping = dg.ConfigMapping(to_op, config.to_config_schema())
    return alone.to_job(config=mapping, metadata=launch_metadata(config))


def launch_metadata(config: type[dg.Config]) -> Mapping[str, dg.MetadataValue]:
    """The fields as a Markdown table: each one's default, what it may be, which Dagster does not show, and meaning."""
    rows = [
        f"| `{name}` | {_default(field)} | {_allowed(field) or '–'} | {field.description} |"
        for name, field in config.model_fields.items()
    ]
    table = "\n".join(["| field | default | allowed | meaning |", "| --- | --- | --- | --- |", *rows])
    return {CONFIGURATION: dg.MetadataValue.md(table)}


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.default
    if value is None or value in ("", []):
        return "–"
    return value.name if isinstance(value, enum.Enum) else str(value).lower()


def _allowed(field: FieldInfo) -> str:
    kind = field.annotation
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return ", ".join(kind.__members__)
    return ", ".join(
        text.format(getattr(limit, name))
        for limit in field.metadata
        for name, text in _LIMITS.items()
        if hasattr(limit, name)
    )
