"""Launch configurations that explain and check themselves, and jobs of one op that are launched with them.

Where a field is declared as text or a number, Dagster also takes `{"env": NAME}` for it and fills in what that variable
of the run's environment holds, such as a password. Whoever launches a run is not to read its environment, so every
schema here takes nothing but values.
"""

import enum
from collections.abc import Mapping
from typing import Any, TypeVar

import dagster as dg
from pydantic.fields import FieldInfo

C = TypeVar("C", bound=dg.Config)

CONFIGURATION = "launch_configuration"
"""Under this name the metadata of jobs and assets say what they can be launched with."""

_PLAIN = {dg.StringSource: str, dg.IntSource: int, dg.BoolSource: bool}

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

    fields = plain_fields(config)
    # Dagster's method takes what its decorators take; its annotation is narrower.
    plain_op = op.with_replaced_properties(op.name, config_schema=fields)  # type: ignore[arg-type]

    @dg.graph(name=name, description=op.description)
    def alone() -> None:
        plain_op()

    mapping = dg.ConfigMapping(to_op, fields)
    return alone.to_job(config=mapping, metadata=launch_metadata(config))


def plain_fields(config: type[dg.Config]) -> dict[str, dg.Field]:
    """The fields of a configuration as a schema: values only, nothing that names an environment variable."""
    return {name: _plain_field(field) for name, field in config.to_fields_dict().items()}


def launched_with(context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext, config: type[C]) -> C:
    """What an asset or a check was launched with, whose schema is `plain_fields(config)`.

    A parameter of that type would be shorter, but brings Dagster's own schema with it.
    """
    return config(**context.op_execution_context.op_config)


def _plain_field(field: dg.Field) -> dg.Field:
    given = {"default_value": field.default_value} if field.default_provided else {}
    return dg.Field(
        _plain_type(field.config_type), is_required=field.is_required, description=field.description, **given
    )


def _plain_type(kind: Any) -> Any:
    """The type without the other half that Dagster gives to text, numbers and flags."""
    match kind:
        case dg.Array():
            return dg.Array(_plain_type(kind.inner_type))
        case dg.Noneable():
            return dg.Noneable(_plain_type(kind.inner_type))
    return _PLAIN.get(kind, kind)


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
