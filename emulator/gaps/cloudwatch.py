"""CloudWatch: metric filters count, queues report their depth, alarms look at their own dimensions, and tell
those whose policies let them.

Alarms are looked at every second. Missing data leaves an alarm as it is, except that `notBreaching` brings
it back to OK; `breaching` isn't acted upon, since the periods it speaks of are longer than a session here.
"""

import itertools
import re
import threading
import time
from typing import Any

from ministack.core.responses import error_response_json
from ministack.services import cloudwatch, cloudwatch_logs, sqs

from emulator.gaps import events

_LOOK_EVERY = 1.0  # seconds
_SERVICE = "cloudwatch.amazonaws.com"
_ACTIONS = ("AlarmActions", "OKActions", "InsufficientDataActions")
_TERM = re.compile(r'-?"[^"]*"|\S+')


def fill() -> None:
    """Puts the functions below around ministack's and starts the alarms' clock."""
    forward = cloudwatch_logs._fanout_to_subscription_filters
    put_filter = cloudwatch_logs._put_metric_filter

    def forward_and_count(group: str, stream: str, events: list[dict[str, Any]]) -> None:
        _count_matches(group, events)
        forward(group, stream, events)

    def put_metric_filter(request: dict[str, Any]) -> Any:
        pattern = request.get("filterPattern", "")
        if pattern.strip().startswith(("{", "[", "%", "?")):
            message = f"Filter pattern {pattern} isn't emulated: only words, phrases and -words are"
            return error_response_json("InvalidParameterException", message, 400)
        return put_filter(request)

    cloudwatch_logs._fanout_to_subscription_filters = forward_and_count
    cloudwatch_logs._put_metric_filter = put_metric_filter
    dispatch = cloudwatch._dispatch_alarm_actions

    def dispatch_to_those_who_allow_it(alarm: dict[str, Any], old: str, new: str, reason: str) -> None:
        allowed = {
            kind: [arn for arn in alarm.get(kind) or [] if events.may_deliver(_SERVICE, alarm["AlarmArn"], arn)]
            for kind in _ACTIONS
        }
        dispatch(alarm | allowed, old, new, reason)

    cloudwatch._dispatch_alarm_actions = dispatch_to_those_who_allow_it
    cloudwatch._evaluate_alarm = evaluate_alarm
    threading.Thread(target=_clock, daemon=True).start()


def matches(pattern: str, message: str) -> bool:
    """Whether a log line has every word and phrase of a filter pattern, and none of its `-` terms.

    Source: CloudWatch Logs User Guide, "Filter pattern syntax": terms are case-sensitive.
    """
    for term in _TERM.findall(pattern):
        unwanted = term.startswith("-")
        if (term.removeprefix("-").strip('"') in message) == unwanted:
            return False
    return True


def _count_matches(group: str, events: list[dict[str, Any]]) -> None:
    for (filtered_group, _), metric_filter in list(cloudwatch_logs._metric_filters.items()):
        if filtered_group != group:
            continue
        count = sum(matches(metric_filter["filterPattern"], event["message"]) for event in events)
        for transformation in metric_filter["metricTransformations"] if count else ():
            for _ in range(count):
                cloudwatch.record_metric(
                    transformation["metricNamespace"],
                    transformation["metricName"],
                    float(transformation["metricValue"]),
                )


def _clock() -> None:
    while True:
        time.sleep(_LOOK_EVERY)
        _measure_queues()
        for alarm in list(cloudwatch._alarms.values()):
            cloudwatch._evaluate_alarm(alarm)


def _measure_queues() -> None:
    """Source: SQS Developer Guide, "Available CloudWatch metrics for Amazon SQS"."""
    now = time.time()
    for url, queue in list(sqs._queues.items()):
        waiting = [message for message in list(queue["messages"]) if message["visible_at"] <= now]
        oldest = min((message["sent_at"] for message in list(queue["messages"])), default=now)
        name = {"QueueName": str(url).rsplit("/", 1)[-1]}
        cloudwatch.record_metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", len(waiting), "Count", name)
        cloudwatch.record_metric("AWS/SQS", "ApproximateAgeOfOldestMessage", now - oldest, "Seconds", name)


def evaluate_alarm(alarm: dict[str, Any]) -> None:
    """Compares the alarm's metric, over its periods up to now, with its threshold; acts on a change."""
    points = _recent_points(alarm)
    if points:
        statistic = alarm.get("ExtendedStatistic") or alarm.get("Statistic", "Average")
        value = cloudwatch._stat_value(cloudwatch._calc_stats(points), statistic, points)
        state = "ALARM" if _breaches(alarm, value) else "OK"
        reason = f"Threshold Crossed: {statistic} {value} against {alarm['Threshold']}"
    elif alarm.get("TreatMissingData") == "notBreaching" and alarm["StateValue"] == "ALARM":
        state, reason = "OK", "Threshold Crossed: no datapoints were received and missing data isn't breaching"
    else:
        return
    old = alarm["StateValue"]
    if state == old:
        return
    alarm.update(StateValue=state, StateReason=reason, StateUpdatedTimestamp=int(time.time()))
    cloudwatch._record_history(alarm["AlarmName"], old, state, reason)
    cloudwatch._dispatch_alarm_actions(alarm, old, state, reason)


def _recent_points(alarm: dict[str, Any]) -> list[dict[str, Any]]:
    wanted = {dimension["Name"]: dimension["Value"] for dimension in alarm.get("Dimensions", [])}
    since = time.time() - alarm.get("Period", 60) * alarm.get("EvaluationPeriods", 1)
    return [
        point
        for (namespace, name, _), points in list(cloudwatch._metrics.items())
        if (namespace, name) == (alarm.get("Namespace"), alarm.get("MetricName"))
        for point in itertools.takewhile(lambda point: point["Timestamp"] >= since, reversed(list(points)))
        if point["Dimensions"] == wanted
    ]


def _breaches(alarm: dict[str, Any], value: float) -> bool:
    threshold: float = alarm["Threshold"]
    breaches: dict[str, bool] = {
        "GreaterThanOrEqualToThreshold": value >= threshold,
        "GreaterThanThreshold": value > threshold,
        "LessThanThreshold": value < threshold,
        "LessThanOrEqualToThreshold": value <= threshold,
    }
    return breaches[alarm["ComparisonOperator"]]
