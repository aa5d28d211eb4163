import re

import pytest

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.settings.runs import RunSettings


@pytest.mark.parametrize(
    "wrong",
    [
        {"COLLECTION_LAUNCHER": "kubernetes"},
        {"COLLECTION_BROKER_URL": "amqp://user:s3cret@h"},
        {"COLLECTION_BROKER_URL": "redis://:s3cret@h:port/0"},
        {"COLLECTION_BROKER_URL": "redis://:s3cret@"},
        {"COLLECTION_MAX_RUNS": "0"},
        {"COLLECTION_WORKER_GRACE_S": "-1"},
    ],
)
def test_a_wrong_setting_is_named_and_its_secret_is_not(wrong: dict[str, str]) -> None:
    with pytest.raises(PipelineError, match=next(iter(wrong))) as refused:
        RunSettings.from_mapping(wrong)
    assert "s3cret" not in str(refused.value)


def test_workers_need_a_broker() -> None:
    with pytest.raises(PipelineError, match="COLLECTION_BROKER_URL does not say where"):
        RunSettings.from_mapping({"COLLECTION_LAUNCHER": "celery"})


def test_the_broker_is_no_part_of_the_representation() -> None:
    read = RunSettings.from_mapping({"COLLECTION_LAUNCHER": "CELERY", "COLLECTION_BROKER_URL": "rediss://:s3cret@h/1"})
    assert (read.launcher, read.broker) == ("celery", "rediss://:s3cret@h/1")
    assert not re.search("s3cret", repr(read))
