"""Where alerts go, and from when on something is worth one: read from a mapping such as os.environ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from collection_pipeline.core.errors import PipelineError


@dataclass(frozen=True)
class AlertSettings:
    """Where alerts go, and from when on. The webhook's address is a secret: who has it can write there."""

    webhook: str | None = field(default=None, repr=False)
    dagster_url: str = "http://127.0.0.1:3000"
    budget_share: float = 0.9
    unusual_share: float = 0.5

    @classmethod
    def from_mapping(cls, environment: Mapping[str, str]) -> AlertSettings:
        """Reads COLLECTION_ALERT_WEBHOOK and its like. An empty value counts as none. Raises PipelineError."""
        values = {key: value.strip() for key, value in environment.items() if value.strip()}
        webhook = values.get("COLLECTION_ALERT_WEBHOOK")
        dagster_url = values.get("COLLECTION_DAGSTER_URL", cls.dagster_url).rstrip("/")
        for name, url in (("COLLECTION_ALERT_WEBHOOK", webhook), ("COLLECTION_DAGSTER_URL", dagster_url)):
            if url is not None and not _is_address(url):
                raise PipelineError(f"{name} must be an address that starts with http:// or https://, and is not.")
        return cls(
            webhook,
            dagster_url,
            budget_share=_share(values, "COLLECTION_ALERT_BUDGET_SHARE", cls.budget_share),
            unusual_share=_share(values, "COLLECTION_ALERT_UNUSUAL_SHARE", cls.unusual_share),
        )


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and not any(map(str.isspace, url))
    except ValueError:
        return False


def _share(values: Mapping[str, str], name: str, default: float) -> float:
    try:
        share = float(values.get(name, default))
    except ValueError:
        share = 0
    if not 0 < share <= 1:
        raise PipelineError(f"{name} is {values[name]!r}; it must be a share above 0 and up to 1, such as {default}.")
    return share
