"""A sensor that cannot reach the tables skips, says why, and forgets nothing."""

from pathlib import Path

import dagster as dg
import pytest

from collection_pipeline.definitions import defs
from collection_pipeline.settings.alerts import AlertSettings
from collection_pipeline.settings.pipeline import Settings
from collection_pipeline_tests.orchestration.conftest import Pipeline

SENSORS = {sensor.name: sensor for sensor in defs.sensors or () if isinstance(sensor, dg.SensorDefinition)}


@pytest.mark.parametrize("name", sorted(SENSORS))
def test_a_sensor_that_cannot_reach_the_tables_skips_and_its_cursor_stays(
    pipeline: Pipeline, tmp_path: Path, name: str
) -> None:
    unreachable = {
        "COLLECTION_DATABASE_URL": "postgresql://me:s3cret@127.0.0.1:1/nothing",
        "COLLECTION_INBOX": str(tmp_path),
    }
    resources = {
        "settings": Settings.from_mapping(unreachable),
        "alert_settings": AlertSettings.from_mapping({"COLLECTION_ALERT_WEBHOOK": "http://127.0.0.1:1/"}),
    }
    context = dg.build_sensor_context(instance=pipeline.instance, resources=resources)
    missed = SENSORS[name](context)
    assert isinstance(missed, dg.SensorResult)
    assert missed.skip_reason is not None
    assert "does not answer" in (missed.skip_reason.skip_message or "")
    assert "s3cret" not in (missed.skip_reason.skip_message or "")
    assert missed.cursor is None  # Dagster then keeps the one there is
