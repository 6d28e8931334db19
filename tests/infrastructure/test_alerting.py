"""Nothing goes wrong unseen."""

import json

import pytest

from tests.infrastructure.recording import Recording


@pytest.mark.parametrize(
    ("namespace", "metric", "owner"),
    [
        ("AWS/States", "ExecutionsFailed", "state_machine_arn"),
        ("AWS/States", "ExecutionsTimedOut", "state_machine_arn"),
        ("AWS/States", "ExecutionsAborted", "state_machine_arn"),
        ("AWS/Lambda", "Errors", "validator_function"),
        ("AWS/Lambda", "Throttles", "validator_function"),
        ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "dead_letter_queue_url"),
        ("AWS/SQS", "ApproximateAgeOfOldestMessage", "ingest_queue_url"),
        ("AWS/Events", "FailedInvocations", None),
    ],
)
def test_what_goes_wrong_raises_an_alarm(deployment: Recording, namespace: str, metric: str, owner: str | None) -> None:
    (alarm,) = [
        alarm
        for alarm in deployment.of_type("aws:cloudwatch/metricAlarm:MetricAlarm")
        if (alarm.inputs["namespace"], alarm.inputs["metricName"]) == (namespace, metric)
    ]
    assert alarm.inputs["alarmActions"] == [deployment.exports["failure_topic_arn"]]
    assert alarm.inputs["comparisonOperator"] == "GreaterThanThreshold"
    (watched,) = alarm.inputs["dimensions"].values()
    expected = deployment.exports[owner] if owner else f"{deployment.exports['dashboard']}-uploads"
    assert watched == expected.rsplit("/", 1)[-1]


def test_drift_raises_an_alarm(deployment: Recording) -> None:
    (metric,) = deployment.of_type("aws:cloudwatch/logMetricFilter:LogMetricFilter")
    alarm = deployment.one("aws:cloudwatch/metricAlarm:MetricAlarm", "-drift")
    made = metric.inputs["metricTransformation"]
    assert (alarm.inputs["namespace"], alarm.inputs["metricName"]) == (made["namespace"], made["name"])
    assert metric.inputs["pattern"] == '"Some files do not match the schema detected"'


def test_the_crawler_logs_where_drift_is_looked_for(deployment: Recording) -> None:
    """The group's name is made by Glue, of the role's name and the security configuration's."""
    (metric,) = deployment.of_type("aws:cloudwatch/logMetricFilter:LogMetricFilter")
    (crawler,) = deployment.of_type("aws:glue/crawler:Crawler")
    role = crawler.inputs["role"].rsplit("/", 1)[-1]
    group = f"/aws-glue/crawlers-role/{role}-{crawler.inputs['securityConfiguration']}"
    assert metric.inputs["logGroupName"] == group


def test_the_crawler_checks_all_parquet_tables_and_changes_none(deployment: Recording) -> None:
    (crawler,) = deployment.of_type("aws:glue/crawler:Crawler")
    tables = deployment.of_type("aws:glue/catalogTable:CatalogTable")
    parquet = {t.inputs["name"] for t in tables if t.inputs["parameters"].get("classification") == "parquet"}
    (target,) = crawler.inputs["catalogTargets"]
    assert set(target["tables"]) == parquet
    assert crawler.inputs["schemaChangePolicy"] == {"deleteBehavior": "LOG", "updateBehavior": "LOG"}


@pytest.mark.parametrize(
    ("rule", "states"),
    [("job-failures", ["FAILED", "TIMEOUT", "STOPPED", "ERROR"]), ("crawler-failures", ["Failed"])],
)
def test_failures_of_glue_are_told(deployment: Recording, rule: str, states: list[str]) -> None:
    pattern = json.loads(deployment.one("aws:cloudwatch/eventRule:EventRule", rule).inputs["eventPattern"])
    assert pattern["detail"]["state"] == states
    target = deployment.one("aws:cloudwatch/eventTarget:EventTarget", rule).inputs
    assert target["arn"] == deployment.exports["failure_topic_arn"]


def test_every_alarm_may_publish(deployment: Recording, stack: str) -> None:
    """The topic lets in what begins with the stack's name; another name would be silenced."""
    if stack == "existing":
        assert deployment.of_type("aws:sns/topicPolicy:TopicPolicy") == []
        return
    policy = deployment.one("aws:sns/topicPolicy:TopicPolicy", "-failure").inputs["policy"]
    prefixes = _sources(policy)
    for alarm in deployment.of_type("aws:cloudwatch/metricAlarm:MetricAlarm"):
        assert any(f"alarm:{alarm.inputs['name']}".startswith(prefix) for prefix in prefixes), alarm.name


def test_every_rule_may_assume_the_role_that_it_publishes_as(deployment: Recording) -> None:
    prefixes = _sources(deployment.one("aws:iam/role:Role", "-failure-events").inputs["assumeRolePolicy"])
    for target in deployment.of_type("aws:cloudwatch/eventTarget:EventTarget"):
        if "roleArn" in target.inputs:
            assert any(f"rule/{target.inputs['rule']}".startswith(prefix) for prefix in prefixes), target.name


def _sources(policy: str) -> set[str]:
    """What the allowed sources' ARNs begin with, without the ARN's head."""
    return {
        statement["Condition"]["ArnLike"]["aws:SourceArn"].removesuffix("*").split(":", 5)[5]
        for statement in json.loads(policy)["Statement"]
        if statement["Effect"] == "Allow"
    }


def test_people_are_subscribed_to_failures(everything: Recording) -> None:
    subscriptions = everything.of_type("aws:sns/topicSubscription:TopicSubscription")
    assert {each.inputs["endpoint"] for each in subscriptions} == {
        "shopkeeper@example.com",
        "night.shift@example.com",
    }
    assert {each.inputs["topic"] for each in subscriptions} == {everything.exports["failure_topic_arn"]}


def test_the_dashboard_shows_what_is_deployed(deployment: Recording) -> None:
    (dashboard,) = deployment.of_type("aws:cloudwatch/dashboard:Dashboard")
    metrics = [
        metric
        for widget in json.loads(dashboard.inputs["dashboardBody"])["widgets"]
        for metric in widget["properties"]["metrics"]
    ]
    watched = {metric[3] for metric in metrics if len(metric) > 2}
    assert watched == {
        deployment.exports["state_machine_arn"],
        deployment.exports["validator_function"],
        deployment.exports["ingest_queue_url"].rsplit("/", 1)[-1],
        deployment.exports["dead_letter_queue_url"].rsplit("/", 1)[-1],
    }
