"""Which version of the code this is, and which one the control plane has: a worker of another one gets no runs."""

import hashlib
from functools import cache
from pathlib import Path

import dagster as dg

import collection_pipeline
from collection_pipeline.core.errors import PipelineError

_KEY = "collection_pipeline/code_version"


@cache
def code_version() -> str:
    """The release, and what its files hold: a checkout between two releases is a version of its own."""
    folder = Path(collection_pipeline.__file__).parent
    content = hashlib.sha256()
    for file in sorted(folder.rglob("*.py")):
        content.update(str(file.relative_to(folder)).encode())
        content.update(file.read_bytes())
    return f"{collection_pipeline.__version__}-{content.hexdigest()[:12]}"


def note_code_version(instance: dg.DagsterInstance) -> None:
    """Writes down that the control plane has this version."""
    instance.daemon_cursor_storage.set_cursor_values({_KEY: code_version()})


def require_code_version(instance: dg.DagsterInstance) -> None:
    """Raises PipelineError where the control plane has another version."""
    wanted = instance.daemon_cursor_storage.get_cursor_values({_KEY}).get(_KEY)
    if wanted is not None and wanted != code_version():
        raise PipelineError(
            f"This worker is of version {code_version()}, and the control plane of {wanted}: it takes no more runs. "
            "Install the control plane's version here, and start the worker again."
        )
