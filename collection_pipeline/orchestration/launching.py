"""Jobs that people launch: one op each, with a launch configuration that explains and checks itself."""

from collections.abc import Mapping
from typing import Any

import dagster as dg


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

    return alone.to_job(config=dg.ConfigMapping(to_op, config.to_config_schema()))
