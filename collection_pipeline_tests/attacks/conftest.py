"""The pipeline that the attacks are tried on."""

from collection_pipeline_tests.orchestration.conftest import dagster_template as dagster_template
from collection_pipeline_tests.orchestration.conftest import pipeline as pipeline
from collection_pipeline_tests.orchestration.conftest import simulator as simulator
from collection_pipeline_tests.orchestration.conftest import way as way
