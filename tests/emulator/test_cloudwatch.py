"""Metric filters and alarms see what they are set on, and nothing else."""

from typing import Any

import pytest

from emulator.gaps.cloudwatch import matches
from tests.emulator.toys import Toys, eventually


@pytest.mark.parametrize(
    ("pattern", "message", "found"),
    [
        ("", "anything", True),
        ("ERROR", "[x] ERROR : no", True),
        ("ERROR", "an error", False),
        ('"do not match"', "files do not match", True),
        ('"do not match"', "do match, not", False),
        ("ERROR shop", "shop ERROR", True),
        ("ERROR -shop", "shop ERROR", False),
    ],
)
def test_filter_patterns(pattern: str, message: str, found: bool) -> None:
    assert matches(pattern, message) is found


def test_a_pattern_beyond_words_is_refused(toys: Toys) -> None:
    logs, group = toys.client("logs"), toys.name("group")
    logs.create_log_group(logGroupName=group)
    with pytest.raises(logs.exceptions.InvalidParameterException, match="isn't emulated"):
        logs.put_metric_filter(
            logGroupName=group,
            filterName="f",
            filterPattern='{ $.level = "ERROR" }',
            metricTransformations=[{"metricName": "m", "metricNamespace": "n", "metricValue": "1"}],
        )


def alarm(toys: Toys, topic: str, **settings: Any) -> str:
    name = toys.name("alarm")
    toys.client("cloudwatch").put_metric_alarm(
        **{
            "AlarmName": name,
            "Statistic": "Maximum",
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": 0,
            "ComparisonOperator": "GreaterThanThreshold",
            "AlarmActions": [topic],
            **settings,
        }
    )
    return name


def test_a_message_in_a_queue_alarms_for_that_queue_only(toys: Toys) -> None:
    topic, notices = toys.topic_queue()
    (used, _), (unused, _) = toys.queue(), toys.queue()
    names = [
        alarm(
            toys,
            topic,
            Namespace="AWS/SQS",
            MetricName="ApproximateNumberOfMessagesVisible",
            Dimensions=[{"Name": "QueueName", "Value": url.rpartition("/")[2]}],
        )
        for url in (used, unused)
    ]
    toys.client("sqs").send_message(QueueUrl=used, MessageBody="lost")
    assert names[0] in toys.messages(notices)[0]["Subject"]
    alarms = toys.client("cloudwatch").describe_alarms(AlarmNames=names)["MetricAlarms"]
    assert {entry["AlarmName"]: entry["StateValue"] for entry in alarms} == {names[0]: "ALARM", names[1]: "OK"}


def test_a_quiet_alarm_is_ok_again_where_missing_data_is_not_breaching(toys: Toys) -> None:
    topic, _ = toys.topic_queue()
    name = alarm(toys, topic, Namespace="N", MetricName="quiet", Period=10, TreatMissingData="notBreaching")

    def state() -> str:
        alarms = toys.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
        return str(alarms[0]["StateValue"])

    data = [{"MetricName": "quiet", "Value": 1}]
    toys.client("cloudwatch").put_metric_data(Namespace="N", MetricData=data)
    assert eventually(lambda: state() == "ALARM")
    assert eventually(lambda: state() == "OK")
