"""docs/launching.md: what every job and asset can be launched with, from the same metadata that Dagster shows.

`python -m collection_pipeline.documents launching > docs/launching.md`
"""

from collections.abc import Mapping
from typing import Any

from collection_pipeline.definitions import defs
from collection_pipeline.orchestration.assets import ASSETS
from collection_pipeline.orchestration.launching import CONFIGURATION

_INTRODUCTION = """\
# Launch configurations

Every configuration works as it stands, except for fields that are required. A job's fields are typed into its launchpad
as they are, and a value that is not allowed is refused at once. An asset's fields go under `ops: NAME: config:`, and
its run fails if one is out of bounds. Made by `python -m collection_pipeline.documents launching` from the code.
"""


def launching_document() -> str:
    """The document as Markdown: a section for every job and asset that has a launch configuration."""
    jobs = {job.name: (job.description, job.metadata) for job in defs.resolve_all_job_defs()}
    assets = {spec.key.to_user_string(): (spec.description, spec.metadata) for asset in ASSETS for spec in asset.specs}
    sections = [
        _section(name, description or "", metadata)
        for name, (description, metadata) in sorted({**jobs, **assets}.items())
        if CONFIGURATION in metadata
    ]
    return "\n".join([_INTRODUCTION, *sections])


def _section(name: str, description: str, metadata: Mapping[str, Any]) -> str:
    summary = description.partition("\n\n")[0]
    return f"## {name}\n{summary}\n\n{metadata[CONFIGURATION].value}\n"
