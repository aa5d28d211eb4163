"""Where alerts go, and from when on something is worth one: read from a mapping such as os.environ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from collection_pipeline.settings.values import base_address, given, secret_address, share


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
        values = given(environment)
        return cls(
            secret_address(values, "COLLECTION_ALERT_WEBHOOK"),
            base_address(values, "COLLECTION_DAGSTER_URL", cls.dagster_url),
            budget_share=share(values, "COLLECTION_ALERT_BUDGET_SHARE", cls.budget_share),
            unusual_share=share(values, "COLLECTION_ALERT_UNUSUAL_SHARE", cls.unusual_share),
        )
