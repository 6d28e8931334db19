"""The way of an upload has no hole: what fails is tried again, then kept, then told."""

import json
from typing import Any

from tests.infrastructure.recording import Recorded, Recording


def _rule(deployment: Recording) -> Recorded:
    return deployment.one("aws:cloudwatch/eventRule:EventRule", "-uploads")


def _states(deployment: Recording) -> dict[str, Any]:
    (machine,) = deployment.of_type("aws:sfn/stateMachine:StateMachine")
    states: dict[str, Any] = json.loads(machine.inputs["definition"])["States"]
    return states


def test_every_upload_is_seen_whatever_its_key(deployment: Recording) -> None:
    pattern = json.loads(_rule(deployment).inputs["eventPattern"])
    (source,) = pattern["detail"].pop("bucket")["name"]
    assert source == deployment.exports["source_bucket"]
    assert pattern == {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {
            "$or": [
                {"object": {"key": [{"anything-but": {"suffix": "/"}}]}},
                {"object": {"size": [{"numeric": [">", 0]}]}},
            ]
        },
    }


def test_an_upload_goes_to_the_queue_or_else_to_the_dead_letters(deployment: Recording) -> None:
    queue = deployment.one("aws:sqs/queue:Queue", "-uploads").outputs["arn"]
    dead_letters = deployment.one("aws:sqs/queue:Queue", "-uploads-dead").outputs["arn"]
    target = deployment.one("aws:cloudwatch/eventTarget:EventTarget", "-uploads").inputs
    assert (target["rule"], target["arn"]) == (_rule(deployment).inputs["name"], queue)
    assert target["deadLetterConfig"] == {"arn": dead_letters}


def test_a_message_that_fails_again_and_again_is_kept(deployment: Recording) -> None:
    queue = deployment.one("aws:sqs/queue:Queue", "-uploads")
    dead_letters = deployment.one("aws:sqs/queue:Queue", "-uploads-dead")
    redrive = json.loads(queue.inputs["redrivePolicy"])
    assert redrive == {"deadLetterTargetArn": dead_letters.outputs["arn"], "maxReceiveCount": 5}
    assert dead_letters.inputs["messageRetentionSeconds"] >= queue.inputs["messageRetentionSeconds"]
    (allowed,) = deployment.of_type("aws:sqs/redriveAllowPolicy:RedriveAllowPolicy")
    assert json.loads(allowed.inputs["redriveAllowPolicy"])["sourceQueueArns"] == [queue.outputs["arn"]]


def test_a_message_stays_hidden_for_six_timeouts_and_the_window(deployment: Recording) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html"""
    queue = deployment.one("aws:sqs/queue:Queue", "-uploads").inputs
    validator = deployment.one("aws:lambda/function:Function", "-validator").inputs
    (mapping,) = deployment.of_type("aws:lambda/eventSourceMapping:EventSourceMapping")
    window = mapping.inputs["maximumBatchingWindowInSeconds"]
    assert queue["visibilityTimeoutSeconds"] >= 6 * validator["timeout"] + window


def test_a_batch_fails_message_by_message(deployment: Recording) -> None:
    (mapping,) = deployment.of_type("aws:lambda/eventSourceMapping:EventSourceMapping")
    assert mapping.inputs["functionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping.inputs["scalingConfig"]["maximumConcurrency"] >= 2


def test_the_validator_is_told_where_things_are(deployment: Recording) -> None:
    variables = deployment.one("aws:lambda/function:Function", "-validator").inputs["environment"]["variables"]
    assert variables == {
        "STATE_MACHINE_ARN": deployment.exports["state_machine_arn"],
        "LEDGER_BUCKET": deployment.exports["ledger_bucket"],
        "FAILURE_TOPIC_ARN": deployment.exports["failure_topic_arn"],
    }


def test_the_job_queues_its_runs_and_leaves_retries_to_the_state_machine(deployment: Recording) -> None:
    (job,) = deployment.of_type("aws:glue/job:Job")
    assert job.inputs["glueVersion"] == "6.0"
    assert job.inputs["jobRunQueuingEnabled"] is True
    assert job.inputs["executionProperty"]["maxConcurrentRuns"] > 1
    assert job.inputs["maxRetries"] == 0


def test_the_job_runs_our_wheels_and_fetches_nothing_else(deployment: Recording) -> None:
    (job,) = deployment.of_type("aws:glue/job:Job")
    arguments = job.inputs["defaultArguments"]
    uploaded = [thing.inputs for thing in deployment.of_type("aws:s3/bucketObjectv2:BucketObjectv2")]
    wheels = {f"s3://{thing['bucket']}/{thing['key']}" for thing in uploaded if thing["key"].endswith(".whl")}
    modules = arguments["--additional-python-modules"].split(",")
    assert set(modules) == wheels
    assert "/retail_pipeline-" in modules[0]
    assert arguments["--python-modules-installer-option"].split() == ["--no-deps", "--no-index"]


def test_the_job_logs_where_logs_end_sometime(deployment: Recording) -> None:
    (job,) = deployment.of_type("aws:glue/job:Job")
    prefix = job.inputs["defaultArguments"]["--custom-logGroup-prefix"]
    groups = {group.inputs["name"] for group in deployment.of_type("aws:cloudwatch/logGroup:LogGroup")}
    assert {f"{prefix}/error", f"{prefix}/output"} <= groups


def test_work_that_crashes_is_told_and_then_fails_the_execution(deployment: Recording) -> None:
    states = _states(deployment)
    for name in ("Transform", "ReadSummary"):
        (catch,) = states[name]["Catch"]
        assert catch["ErrorEquals"] == ["States.ALL"]
        assert catch["Next"] == "ReadCrashSummary"
    # What other files of the run came to is told too, if the job came so far; if not, the crash is told all the same.
    (catch,) = states["ReadCrashSummary"]["Catch"]
    assert {states["ReadCrashSummary"]["Next"], catch["Next"]} == {"NotifyCrash"}
    assert states["NotifyCrash"]["Arguments"]["TopicArn"] == deployment.exports["failure_topic_arn"]
    assert states[states["NotifyCrash"]["Next"]]["Type"] == "Fail"


def test_success_is_told_to_the_one_topic_and_all_else_to_the_other(deployment: Recording) -> None:
    states = _states(deployment)
    by_condition = {choice["Condition"]: states[choice["Next"]] for choice in states["Outcome"]["Choices"]}
    topics = {condition: state["Arguments"]["TopicArn"] for condition, state in by_condition.items()}
    assert topics == {
        "{% $states.input.outcome = 'success' %}": deployment.exports["success_topic_arn"],
        "{% $states.input.outcome in ['partial', 'failure'] %}": deployment.exports["failure_topic_arn"],
    }
    assert states[states["Outcome"]["Default"]]["Type"] == "Fail"


def test_executions_log_errors_and_no_data(deployment: Recording) -> None:
    (machine,) = deployment.of_type("aws:sfn/stateMachine:StateMachine")
    logging = machine.inputs["loggingConfiguration"]
    assert (logging["level"], logging["includeExecutionData"]) == ("ERROR", False)
    assert logging["logDestination"].endswith(":*")


def test_what_assumes_a_role_waits_for_its_rights(deployment: Recording) -> None:
    policies = {policy.urn for policy in deployment.of_type("aws:iam/rolePolicy:RolePolicy")}
    for type_ in (
        "aws:glue/crawler:Crawler",
        "aws:glue/job:Job",
        "aws:lambda/function:Function",
        "aws:sfn/stateMachine:StateMachine",
    ):
        for resource in deployment.of_type(type_):
            assert policies.intersection(resource.dependencies), resource.name
