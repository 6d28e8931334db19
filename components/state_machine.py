"""The state machine that takes a batch of uploads from the transform to the notice, in Amazon States Language.

Its input is `{"dataset": …, "run": <name of the execution>, "objects": [{"bucket", "key", "version", "size",
"sequencer"}, …]}`. Data stays out of the states, whose size is limited to 256 KiB: the job leaves a summary in
the ledger, and the machine reads that.
"""

from collections.abc import Sequence
from typing import Any

import pulumi
import pulumi_aws as aws

from components.policies import KEY_USE, Resource, allow, bucket_arn, service_role

_LOG_DELIVERY = (
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
)
"""What a state machine needs in order to log, on every resource: AWS allows nothing narrower
(https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html)."""

_FAILURE = {
    "ErrorEquals": ["States.ALL"],
    "Output": "{% $merge([$states.input, {'failure': $states.errorOutput}]) %}",
    "Next": "ReadCrashSummary",
}
_THROTTLED = {"IntervalSeconds": 2, "MaxAttempts": 6, "BackoffRate": 2, "JitterStrategy": "FULL"}


def state_machine(
    name: str,
    *,
    job: aws.glue.Job,
    ledger_bucket: pulumi.Input[str],
    success_topic_arn: pulumi.Input[str],
    failure_topic_arn: pulumi.Input[str],
    notice_key_arns: Sequence[Resource],
    data_key_arn: pulumi.Input[str | None],
    log_group: aws.cloudwatch.LogGroup,
    parent: pulumi.Resource,
) -> aws.sfn.StateMachine:
    """The state machine with its role. It logs errors, and never the data of an execution."""
    role = service_role(
        name,
        "states.amazonaws.com",
        [
            allow(["glue:BatchStopJobRun", "glue:GetJobRun", "glue:GetJobRuns", "glue:StartJobRun"], job.arn),
            allow(["s3:GetObject"], bucket_arn(ledger_bucket, "runs/*")),
            allow(["sns:Publish"], success_topic_arn, failure_topic_arn),
            allow(KEY_USE, *notice_key_arns),
            allow(["kms:Decrypt"], data_key_arn),
            allow(_LOG_DELIVERY, "*"),
        ],
        description="Runs the job, reads its summary, publishes the notice",
        parent=parent,
    )
    return aws.sfn.StateMachine(
        name,
        name=name,
        type="STANDARD",
        role_arn=role.role.arn,
        definition=pulumi.Output.json_dumps(
            definition(
                job=job.name,
                ledger_bucket=ledger_bucket,
                success_topic_arn=success_topic_arn,
                failure_topic_arn=failure_topic_arn,
            )
        ),
        logging_configuration={
            "level": "ERROR",
            "include_execution_data": False,
            "log_destination": pulumi.Output.concat(log_group.arn, ":*"),
        },
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[role.policy]),
    )


def definition(
    *,
    job: pulumi.Input[str],
    ledger_bucket: pulumi.Input[str],
    success_topic_arn: pulumi.Input[str],
    failure_topic_arn: pulumi.Input[str],
) -> dict[str, Any]:
    """The definition, whose texts may still be outputs.

    A run whose summary says `success` notifies the success topic, `partial` or `failure` the failure topic;
    the execution succeeds in all three cases, for the pipeline did its work. When the job crashes or leaves no
    summary, the failure topic hears of it and the execution fails.
    """
    return {
        "Comment": "Transforms a batch of uploads and tells what came of it",
        "QueryLanguage": "JSONata",
        "StartAt": "Transform",
        "States": {
            "Transform": _transform(job),
            "ReadSummary": _read_summary(ledger_bucket),
            "ReadCrashSummary": _read_crash_summary(ledger_bucket),
            "Outcome": {
                "Type": "Choice",
                "Choices": [
                    {"Condition": "{% $states.input.outcome = 'success' %}", "Next": "NotifySuccess"},
                    {
                        "Condition": "{% $states.input.outcome in ['partial', 'failure'] %}",
                        "Next": "NotifyFailure",
                    },
                ],
                "Default": "UnknownOutcome",
            },
            "NotifySuccess": _notify(success_topic_arn, "Done"),
            "NotifyFailure": _notify(failure_topic_arn, "Done"),
            "NotifyCrash": _notify_crash(failure_topic_arn),
            "Done": {"Type": "Succeed"},
            "Crashed": {
                "Type": "Fail",
                "Error": "{% $states.input.failure.Error %}",
                "Cause": "{% $string($states.input.failure.Cause) %}",
            },
            "UnknownOutcome": {
                "Type": "Fail",
                "Error": "UnknownOutcome",
                "Cause": "{% 'The summary of the run has an unknown outcome: ' & $string($states.input.outcome) %}",
            },
        },
    }


def _transform(job: pulumi.Input[str]) -> dict[str, Any]:
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::glue:startJobRun.sync",
        "Arguments": {
            "JobName": job,
            "Arguments": {
                "--run": "{% $states.input.run %}",
                "--dataset": "{% $states.input.dataset %}",
                "--objects": "{% $string($states.input.objects) %}",
            },
        },
        "Output": "{% $states.input %}",
        "Retry": [
            {
                # Only the start of a run is refused this way: no work has been done yet.
                "ErrorEquals": [
                    "Glue.ConcurrentRunsExceededException",
                    "Glue.ResourceNumberLimitExceededException",
                    "Glue.ThrottlingException",
                ],
                "IntervalSeconds": 15,
                "MaxAttempts": 20,
                "BackoffRate": 1.5,
                "MaxDelaySeconds": 300,
                "JitterStrategy": "FULL",
            },
            # A run may be repeated at any point, so a passing fault of S3 or Glue costs a minute, not the files.
            {"ErrorEquals": ["States.TaskFailed"], "IntervalSeconds": 5, "MaxAttempts": 1},
        ],
        "Catch": [_FAILURE],
        "Next": "ReadSummary",
    }


def _read_summary(ledger_bucket: pulumi.Input[str]) -> dict[str, Any]:
    return {
        **_get_summary(ledger_bucket),
        "Output": "{% $parse($states.result.Body) %}",
        "Retry": [{"ErrorEquals": ["S3.SdkClientException", "S3.S3Exception"], **_THROTTLED}],
        "Catch": [_FAILURE],
        "Next": "Outcome",
    }


def _read_crash_summary(ledger_bucket: pulumi.Input[str]) -> dict[str, Any]:
    """The job summarises the files that it did finish, also when others crashed; or it never came to that."""
    return {
        **_get_summary(ledger_bucket),
        "Output": "{% $merge([$states.input, {'finished': $parse($states.result.Body).message}]) %}",
        "Retry": [{"ErrorEquals": ["S3.SdkClientException"], **_THROTTLED}],
        "Catch": [{"ErrorEquals": ["States.ALL"], "Output": "{% $states.input %}", "Next": "NotifyCrash"}],
        "Next": "NotifyCrash",
    }


def _get_summary(ledger_bucket: pulumi.Input[str]) -> dict[str, Any]:
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:s3:getObject",
        "Arguments": {"Bucket": ledger_bucket, "Key": "{% 'runs/' & $states.input.run & '.json' %}"},
    }


def _notify(topic_arn: pulumi.Input[str], next_state: str) -> dict[str, Any]:
    return _publish(
        topic_arn,
        subject="{% $states.input.subject %}",
        message="{% $states.input.message %}",
        outcome="{% $states.input.outcome %}",
        next_state=next_state,
    )


def _notify_crash(topic_arn: pulumi.Input[str]) -> dict[str, Any]:
    message = (
        "'The job failed on uploads of ' & $states.input.dataset & ': '"
        " & $substring($string($states.input.objects.key), 0, 1000)"
        " & '.\n\nThe files are safe in the source bucket. When the cause is mended, upload them again"
        " under the same names.'"
        " & ($exists($states.input.finished) ? '\n\nFinished before that: ' & $states.input.finished : '')"
        " & '\n\nThe cause: ' & $states.input.failure.Error & '\n'"
        " & $substring($string($states.input.failure.Cause), 0, 2000)"
    )
    return _publish(
        topic_arn,
        subject="{% $substring('Crashed: ' & $states.input.dataset, 0, 99) %}",
        message=f"{{% {message} %}}",
        outcome="failure",
        next_state="Crashed",
    )


def _publish(
    topic_arn: pulumi.Input[str], *, subject: str, message: str, outcome: str, next_state: str
) -> dict[str, Any]:
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::sns:publish",
        "Arguments": {
            "TopicArn": topic_arn,
            "Subject": subject,
            "Message": message,
            "MessageAttributes": {"outcome": {"DataType": "String", "StringValue": outcome}},
        },
        "Output": "{% $states.input %}",
        "Retry": [{"ErrorEquals": ["SNS.SdkClientException", "SNS.ThrottledException"], **_THROTTLED}],
        "Next": next_state,
    }
