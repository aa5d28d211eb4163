"""How a failed run reads: a sentence of ours as it is, a fault in the program with its stack."""

import dagster as dg

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.orchestration.failures import dagster_failure
from collection_pipeline_tests.orchestration.conftest import Pipeline

SENTENCE = "eBay refuses the account. Check EBAY_CLIENT_ID."


@dg.op
def refused() -> None:
    try:
        raise PipelineError(SENTENCE)
    except PipelineError as error:
        raise dagster_failure(error) from error


@dg.op
def broken() -> None:
    raise ZeroDivisionError("a fault")


def failures(pipeline: Pipeline, op: dg.OpDefinition) -> list[str]:
    """What the events of the failed step and the failed run say of the error."""

    @dg.job
    def failing() -> None:
        op()

    result = failing.execute_in_process(instance=pipeline.instance, raise_on_error=False)
    events = [entry.get_dagster_event() for entry in pipeline.instance.all_logs(result.run_id) if entry.dagster_event]
    [step] = [event.step_failure_data for event in events if event.is_step_failure]
    [run] = [event.job_failure_data for event in events if event.is_job_failure]
    assert run.first_step_failure_event is not None
    return [str(step.error), str(run.first_step_failure_event.step_failure_data.error)]


def test_a_failure_of_ours_is_its_sentence_and_nothing_else(pipeline: Pipeline) -> None:
    assert failures(pipeline, refused) == [SENTENCE, SENTENCE]


def test_a_fault_in_the_program_keeps_its_stack(pipeline: Pipeline) -> None:
    for told in failures(pipeline, broken):
        assert "ZeroDivisionError: a fault" in told
        assert "Stack Trace" in told
