"""The dashboard: uploads, runs, what waits and what drifted, on one page."""

from typing import Any

import pulumi

_WIDTH, _HEIGHT, _COLUMNS = 12, 6, 2


def dashboard_body(
    *,
    region: pulumi.Input[str],
    state_machine_arn: pulumi.Input[str],
    validator_function: pulumi.Input[str],
    ingest_queue: pulumi.Input[str],
    dead_letter_queue: pulumi.Input[str],
    drift_metric: tuple[str, str],
) -> dict[str, Any]:
    """The body, whose texts may still be outputs
    (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html).
    """
    machine = ("StateMachineArn", state_machine_arn)
    validator = ("FunctionName", validator_function)
    uploads, dead_letters = ("QueueName", ingest_queue), ("QueueName", dead_letter_queue)
    graphs: list[tuple[str, str, list[list[Any]]]] = [
        ("Uploads", "Sum", [["AWS/SQS", "NumberOfMessagesSent", *uploads]]),
        (
            "Runs",
            "Sum",
            [
                ["AWS/States", metric, *machine]
                for metric in ("ExecutionsSucceeded", "ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted")
            ],
        ),
        ("Duration of runs, ms", "Average", [["AWS/States", "ExecutionTime", *machine]]),
        (
            "Validator",
            "Sum",
            [["AWS/Lambda", metric, *validator] for metric in ("Invocations", "Errors", "Throttles")],
        ),
        (
            "Waiting",
            "Maximum",
            [
                ["AWS/SQS", "ApproximateNumberOfMessagesVisible", *uploads],
                ["AWS/SQS", "ApproximateNumberOfMessagesVisible", *dead_letters],
            ],
        ),
        ("Oldest upload, s", "Maximum", [["AWS/SQS", "ApproximateAgeOfOldestMessage", *uploads]]),
        ("Drift", "Sum", [list(drift_metric)]),
    ]
    return {
        "widgets": [
            {
                "type": "metric",
                "x": number % _COLUMNS * _WIDTH,
                "y": number // _COLUMNS * _HEIGHT,
                "width": _WIDTH,
                "height": _HEIGHT,
                "properties": {
                    "title": title,
                    "region": region,
                    "stat": statistic,
                    "period": 300,
                    "metrics": metrics,
                },
            }
            for number, (title, statistic, metrics) in enumerate(graphs)
        ]
    }
