import re

import pytest

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.settings.alerts import AlertSettings


@pytest.mark.parametrize(
    "wrong",
    [
        {"COLLECTION_ALERT_WEBHOOK": "hooks.example/s3cret"},
        {"COLLECTION_ALERT_WEBHOOK": "https:///s3cret"},
        {"COLLECTION_ALERT_WEBHOOK": "https://[s3cret"},
        {"COLLECTION_DAGSTER_URL": "localhost:3000"},
        {"COLLECTION_ALERT_BUDGET_SHARE": "90"},
        {"COLLECTION_ALERT_UNUSUAL_SHARE": "0"},
        {"COLLECTION_ALERT_UNUSUAL_SHARE": "half"},
    ],
)
def test_a_wrong_setting_is_named_and_its_secret_is_not(wrong: dict[str, str]) -> None:
    with pytest.raises(PipelineError, match=next(iter(wrong))) as refused:
        AlertSettings.from_mapping(wrong)
    assert "s3cret" not in str(refused.value)


def test_the_webhook_is_no_part_of_the_representation() -> None:
    assert not re.search(
        "s3cret", repr(AlertSettings.from_mapping({"COLLECTION_ALERT_WEBHOOK": "https://h.example/s3cret"}))
    )
