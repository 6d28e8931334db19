"""Raises the alarm when the pipeline can't do its work, and shows how it fares."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components.arguments import refuse_unknown
from components.dashboard import dashboard_body
from components.naming import once, type_token
from components.policies import KEY_USE, ServiceRole, allow, current_account, from_account, service_role

_DRIFT_MESSAGE = "Some files do not match the schema detected"
"""What a crawler logs when files don't fit their table."""

_NAMESPACE = "RetailPipeline"
_OLDEST_UPLOAD_SECONDS = 15 * 60


class AlertingArgs(TypedDict):
    failure_topic_arn: pulumi.Input[str]
    """Topic that hears of alarms."""

    notice_key_arns: NotRequired[pulumi.Input[Sequence[str]]]
    """Keys that the topic is encrypted with. Default none."""

    state_machine_arn: pulumi.Input[str]
    """The state machine that handles batches of uploads."""

    validator_function: pulumi.Input[str]
    """Name of the Lambda function that validates uploads."""

    glue_job: pulumi.Input[str]
    """Name of the Glue job that transforms them."""

    ingest_queue: pulumi.Input[str]
    """Name of the queue of uploads."""

    dead_letter_queue: pulumi.Input[str]
    """Name of its dead-letter queue."""

    upload_rule: pulumi.Input[str]
    """Name of the EventBridge rule that uploads come through."""

    crawler: pulumi.Input[str]
    """Name of the crawler that checks for drift."""

    crawler_log_group: pulumi.Input[str]
    """Name of the log group that the crawler alone writes to."""


class _Alarm(NamedTuple):
    """An alarm that goes off when a metric exceeds a threshold within five minutes."""

    name: str
    description: str
    namespace: str
    metric: str
    dimensions: Mapping[str, pulumi.Input[str]]
    statistic: str = "Sum"
    threshold: float = 0


class Alerting(pulumi.ComponentResource):
    """Alarms on everything that can go wrong unseen, failure events of Glue, and a dashboard.

    Names begin with `<name>-`: give this component the name of the `Notices` whose topic it publishes to.
    """

    dashboard: pulumi.Output[str]
    """Name of the CloudWatch dashboard."""

    def __init__(self, name: str, args: AlertingArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        refuse_unknown(name, args, AlertingArgs)
        super().__init__(type_token("Alerting"), name, {}, once("retail:alerting:Alerting", opts))
        self._name, self._args, self._account = name, args, current_account(self)
        drift = self._drift_metric()
        for alarm in (*_alarms(args), drift):
            self._alarm(alarm)
        publisher = self._publisher()
        self._failure_events(
            publisher,
            "job-failures",
            "Runs of the job that failed, were stopped or took too long",
            {
                "source": ["aws.glue"],
                "detail-type": ["Glue Job State Change"],
                "detail": {
                    "jobName": [args["glue_job"]],
                    "state": ["FAILED", "TIMEOUT", "STOPPED", "ERROR"],
                },
            },
        )
        self._failure_events(
            publisher,
            "crawler-failures",
            "Drift checks that failed",
            {
                "source": ["aws.glue"],
                "detail-type": ["Glue Crawler State Change"],
                "detail": {"crawlerName": [args["crawler"]], "state": ["Failed"]},
            },
        )
        dashboard = aws.cloudwatch.Dashboard(
            name,
            dashboard_name=name,
            dashboard_body=pulumi.Output.json_dumps(
                dashboard_body(
                    region=self._account.region,
                    state_machine_arn=args["state_machine_arn"],
                    validator_function=args["validator_function"],
                    ingest_queue=args["ingest_queue"],
                    dead_letter_queue=args["dead_letter_queue"],
                    drift_metric=(drift.namespace, drift.metric),
                )
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.dashboard = dashboard.dashboard_name
        self.register_outputs({"dashboard": self.dashboard})

    def _drift_metric(self) -> _Alarm:
        """Counts the crawler's complaints; returns the alarm on the count."""
        metric = f"{self._name}-drift"
        aws.cloudwatch.LogMetricFilter(
            metric,
            name=metric,
            log_group_name=self._args["crawler_log_group"],
            pattern=f'"{_DRIFT_MESSAGE}"',
            metric_transformation={"name": metric, "namespace": _NAMESPACE, "value": "1"},
            opts=pulumi.ResourceOptions(parent=self),
        )
        return _Alarm("drift", "Files don't fit their table: the crawler's log names them", _NAMESPACE, metric, {})

    def _alarm(self, alarm: _Alarm) -> None:
        name = f"{self._name}-{alarm.name}"
        aws.cloudwatch.MetricAlarm(
            name,
            name=name,
            alarm_description=alarm.description,
            namespace=alarm.namespace,
            metric_name=alarm.metric,
            dimensions=alarm.dimensions,
            statistic=alarm.statistic,
            period=300,
            evaluation_periods=1,
            threshold=alarm.threshold,
            comparison_operator="GreaterThanThreshold",
            treat_missing_data="notBreaching",
            alarm_actions=[self._args["failure_topic_arn"]],
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _publisher(self) -> ServiceRole:
        """What EventBridge publishes as: a condition in the topic's own policy would silence it
        (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html#eb-sns-permissions).
        """
        return service_role(
            f"{self._name}-failure-events",
            "events.amazonaws.com",
            [
                allow(["sns:Publish"], self._args["failure_topic_arn"]),
                allow(KEY_USE, self._args.get("notice_key_arns", [])),
            ],
            description="Publishes events of failures",
            parent=self,
            # https://docs.aws.amazon.com/eventbridge/latest/userguide/cross-service-confused-deputy-prevention.html
            conditions=from_account(self._account, self._account.arn("events", "rule/", self._name, "-*")),
        )

    def _failure_events(self, publisher: ServiceRole, child: str, description: str, pattern: dict[str, object]) -> None:
        """Sends the events of a pattern to the failure topic as they are."""
        name = f"{self._name}-{child}"
        options = pulumi.ResourceOptions(parent=self)
        rule = aws.cloudwatch.EventRule(
            name,
            name=name,
            description=description,
            event_pattern=pulumi.Output.json_dumps(pattern),
            opts=options,
        )
        aws.cloudwatch.EventTarget(
            name,
            rule=rule.name,
            target_id="failure-topic",
            arn=self._args["failure_topic_arn"],
            role_arn=publisher.role.arn,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[publisher.policy]),
        )


def _alarms(args: AlertingArgs) -> list[_Alarm]:
    machine = {"StateMachineArn": args["state_machine_arn"]}
    validator = {"FunctionName": args["validator_function"]}
    queue, dead_letters = {"QueueName": args["ingest_queue"]}, {"QueueName": args["dead_letter_queue"]}
    return [
        _Alarm("runs-failed", "Runs crashed", "AWS/States", "ExecutionsFailed", machine),
        _Alarm("runs-timed-out", "Runs took too long", "AWS/States", "ExecutionsTimedOut", machine),
        _Alarm("runs-aborted", "Runs were stopped by hand", "AWS/States", "ExecutionsAborted", machine),
        _Alarm("validator-errors", "The validator crashed", "AWS/Lambda", "Errors", validator),
        _Alarm("validator-throttles", "The validator was throttled", "AWS/Lambda", "Throttles", validator),
        _Alarm(
            "undelivered-uploads",
            "EventBridge couldn't hand uploads to the queue",
            "AWS/Events",
            "FailedInvocations",
            {"RuleName": args["upload_rule"]},
        ),
        _Alarm(
            "dead-letters",
            "Uploads were given up: they wait in the dead-letter queue",
            "AWS/SQS",
            "ApproximateNumberOfMessagesVisible",
            dead_letters,
            "Maximum",
        ),
        _Alarm(
            "late-uploads",
            f"An upload waits for the validator for more than {_OLDEST_UPLOAD_SECONDS // 60} minutes",
            "AWS/SQS",
            "ApproximateAgeOfOldestMessage",
            queue,
            "Maximum",
            _OLDEST_UPLOAD_SECONDS,
        ),
    ]
