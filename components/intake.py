"""Where uploads wait for the validator: an EventBridge rule, a queue, a dead-letter queue."""

import pulumi
import pulumi_aws as aws

from components.policies import allow_service, deny_plain_text, document

_DAY = 24 * 60 * 60
_RECEIVES = 5
"""How often a message is tried before it is a dead letter."""


def upload_queues(
    name: str, *, handling_seconds: int, window_seconds: pulumi.Input[int], parent: pulumi.Resource
) -> tuple[aws.sqs.Queue, aws.sqs.Queue]:
    """The queue of uploads and its dead-letter queue, for a function that may take `handling_seconds`."""
    options = pulumi.ResourceOptions(parent=parent)
    dead_letters = aws.sqs.Queue(
        f"{name}-dead",
        name=f"{name}-dead",
        sqs_managed_sse_enabled=True,
        message_retention_seconds=14 * _DAY,
        opts=options,
    )
    window = pulumi.Output.from_input(window_seconds)
    queue = aws.sqs.Queue(
        name,
        name=name,
        sqs_managed_sse_enabled=True,
        message_retention_seconds=14 * _DAY,
        # Six times the function's timeout, and the window
        # (https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html).
        visibility_timeout_seconds=window.apply(lambda seconds: 6 * handling_seconds + int(seconds)),
        redrive_policy=pulumi.Output.json_dumps(
            {"deadLetterTargetArn": dead_letters.arn, "maxReceiveCount": _RECEIVES}
        ),
        opts=options,
    )
    aws.sqs.RedriveAllowPolicy(
        f"{name}-dead",
        queue_url=dead_letters.url,
        redrive_allow_policy=pulumi.Output.json_dumps({"redrivePermission": "byQueue", "sourceQueueArns": [queue.arn]}),
        opts=options,
    )
    return queue, dead_letters


def upload_rule(
    name: str,
    bucket: pulumi.Input[str],
    queue: aws.sqs.Queue,
    dead_letters: aws.sqs.Queue,
    *,
    parent: pulumi.Resource,
) -> aws.cloudwatch.EventRule:
    """The rule that sends every upload to the queue, whatever its key: the validator refuses strangers aloud.

    Only the empty objects that consoles make for folders are no uploads.
    """
    options = pulumi.ResourceOptions(parent=parent)
    rule = aws.cloudwatch.EventRule(
        name,
        name=name,
        description="Every object that is put into the source bucket",
        event_pattern=pulumi.Output.json_dumps(
            {
                "source": ["aws.s3"],
                "detail-type": ["Object Created"],
                "detail": {
                    "bucket": {"name": [bucket]},
                    "$or": [
                        {"object": {"key": [{"anything-but": {"suffix": "/"}}]}},
                        {"object": {"size": [{"numeric": [">", 0]}]}},
                    ],
                },
            }
        ),
        opts=options,
    )
    policies = [
        aws.sqs.QueuePolicy(
            f"{name}{suffix}",
            queue_url=target.url,
            policy=document(
                deny_plain_text("sqs:*", target.arn),
                allow_service(
                    "events.amazonaws.com",
                    ["sqs:SendMessage"],
                    target.arn,
                    {"ArnEquals": {"aws:SourceArn": rule.arn}},
                ),
            ),
            opts=options,
        )
        for suffix, target in (("", queue), ("-dead", dead_letters))
    ]
    aws.cloudwatch.EventTarget(
        name,
        rule=rule.name,
        target_id="ingest-queue",
        arn=queue.arn,
        dead_letter_config={"arn": dead_letters.arn},
        retry_policy={"maximum_event_age_in_seconds": _DAY, "maximum_retry_attempts": 185},
        opts=pulumi.ResourceOptions(parent=parent, depends_on=policies),
    )
    return rule
