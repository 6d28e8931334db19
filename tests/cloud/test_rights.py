"""Least privilege, the other way round: take one right away, and what needs it fails, naming the right."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.cloud import Cloud
from tests.cloud.conftest import HEADER, Shop, book, eventually, project
from tests.cloud.withdrawal import rights_of, role_without, service_shut_out


@pytest.fixture(scope="module")
def guarded_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A cloud of its own, its data encrypted with a key: what fails here would come back in the other tests."""
    with Cloud.start(project(tmp_path_factory.mktemp("project"), kmsKey="create")) as cloud:
        yield Shop(cloud)


EXECUTION = [
    ("transform", "s3:GetObjectVersion", "-source-"),
    ("transform", "s3:DeleteObject", "-processed-"),
    ("transform", "s3:PutObject", "-ledger-"),
    ("transform", "s3:ListBucket", "-ledger-"),
    ("transform", "s3:GetObject", "-artefacts-"),
    ("transform", "glue:BatchCreatePartition", "catalog"),
    ("transform", "kms:Decrypt", "key of data"),
    ("transform", "logs:PutLogEvents", "log-group"),
    ("ingest", "glue:StartJobRun", "job"),
    ("ingest", "s3:GetObject", "-ledger-"),
    ("ingest", "sns:Publish", ""),
    ("ingest", "kms:Decrypt", "key of notices"),
    ("ingest", "kms:Decrypt", "key of data"),
]
"""What a run needs of the job's and the state machine's rights."""

VALIDATION = [
    ("s3:GetObjectVersion", "-source-", "good"),
    ("s3:PutObject", "-ledger-", "refused"),
    ("s3:ListBucket", "-ledger-", "refused"),
    ("states:StartExecution", "", "good"),
    ("sns:Publish", "", "refused"),
    ("kms:Decrypt", "key of notices", "refused"),
    ("kms:Decrypt", "key of data", "good"),
]
"""What the validator needs, and for which kind of upload."""

DRIFT_CHECK = [
    ("s3:ListBucket", "-processed-"),
    ("s3:GetObject", "-processed-"),
    ("kms:Decrypt", "key of data"),
    ("glue:GetTable", "catalog"),
    ("glue:GetSecurityConfiguration", ""),
    ("logs:AssociateKmsKey", "log-group"),
    ("logs:PutLogEvents", "log-group"),
]

FAILURE_EVENTS = [("sns:Publish", ""), ("kms:Decrypt", "key of notices")]
"""What EventBridge needs to tell the owner of a failure."""

TESTS_OF_THEIR_OWN = {
    "transform": 0,
    "ingest": 1,  # the delivery of logs
    "validator": 3,  # receiving, describing an execution, logging
    "drift-check": 0,
    "failure-events": 0,
}


def test_no_statement_is_left_out(guarded_shop: Shop) -> None:
    cases = {"validator": len(VALIDATION), "drift-check": len(DRIFT_CHECK), "failure-events": len(FAILURE_EVENTS)}
    cases |= {role: len([case for case in EXECUTION if case[0] == role]) for role in ("transform", "ingest")}
    for role, others in TESTS_OF_THEIR_OWN.items():
        assert len(rights_of(guarded_shop, role)["Statement"]) == cases[role] + others


def test_with_all_rights_it_works(guarded_shop: Shop) -> None:
    assert guarded_shop.upload("allowed.csv", HEADER + book(1, "Rights"))["status"] == "processed"
    assert _crawl(guarded_shop)["Status"] == "SUCCEEDED"


@pytest.mark.parametrize(("role", "action", "resource"), EXECUTION)
def test_without_a_right_the_execution_fails(guarded_shop: Shop, role: str, action: str, resource: str) -> None:
    shop = guarded_shop
    before = {execution["executionArn"] for execution in shop.cloud.executions()}
    with role_without(shop, role, action, resource):
        name = f"{role}-{action}{resource}.csv".replace(":", "-")
        shop.put(name, HEADER + book(1, "Rights"))

        def ended() -> dict[str, str] | None:
            for execution in shop.cloud.executions():
                if execution["executionArn"] not in before and execution["status"] != "RUNNING":
                    return dict(
                        shop.cloud.client("stepfunctions").describe_execution(executionArn=execution["executionArn"])
                    )
            return None

        execution = eventually(ended, "the end of the execution")
    assert execution["status"] == "FAILED"
    assert "not authorized" in execution["cause"] or "AccessDenied" in execution["cause"]
    if action != "sns:Publish" and resource != "key of notices":
        notice = shop.notice(f"The job failed on uploads of bookstore_sales: bookstore_sales/{name}")
        assert "upload them again" in notice["Message"]


def test_without_the_right_to_deliver_its_logs_there_is_no_state_machine(guarded_shop: Shop) -> None:
    """AWS looks at it when a state machine is made or changed."""
    states = guarded_shop.cloud.client("stepfunctions")
    machine = states.describe_state_machine(stateMachineArn=guarded_shop.cloud.exports["state_machine_arn"])
    request = {name: machine[name] for name in ("definition", "roleArn", "loggingConfiguration")}
    with (
        role_without(guarded_shop, "ingest", "logs:CreateLogDelivery", ""),
        pytest.raises(ClientError, match="not authorized to access the Log Destination"),
    ):
        states.create_state_machine(name="retail-local-other", **request)
    other = states.create_state_machine(name="retail-local-other", **request)
    states.delete_state_machine(stateMachineArn=other["stateMachineArn"])


@pytest.mark.parametrize(("action", "resource", "upload"), VALIDATION)
def test_without_a_right_the_validator_fails_and_the_upload_stays(
    guarded_shop: Shop, action: str, resource: str, upload: str
) -> None:
    shop = guarded_shop
    complaints, waiting, executions = _complaints(shop), _waiting(shop), len(shop.cloud.executions())
    name = f"validator-{action}{resource}.csv".replace(":", "-")
    with role_without(shop, "validator", action, resource):
        version = shop.put(name, HEADER + book(1, "Rights") if upload == "good" else "no,such,header\n1,2,3\n")
        eventually(lambda: _complaints(shop) > complaints, "the validator's complaint")
    assert len(shop.cloud.executions()) == executions
    assert shop.record(name, version) is None
    assert _waiting(shop) == waiting + 1


def _complaints(shop: Shop) -> int:
    """How often the validator has logged that it may not do something."""
    return len(re.findall("(?i)AccessDenied|Forbidden|not authorized", shop.validator_log()))


def _waiting(shop: Shop) -> int:
    return shop.cloud.waiting(shop.cloud.exports["ingest_queue_url"])


def _mapping(shop: Shop) -> dict[str, Any]:
    [mapping] = shop.cloud.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    return dict(mapping)


def test_without_the_right_to_receive_the_validator_gets_nothing(guarded_shop: Shop) -> None:
    shop = guarded_shop
    waiting = _waiting(shop)
    with role_without(shop, "validator", "sqs:ReceiveMessage", "-uploads"):
        eventually(lambda: "sqs:ReceiveMessage" in _mapping(shop)["LastProcessingResult"], "the mapping's complaint")
        version = shop.put("not-received.csv", HEADER + book(1, "Rights"))
        eventually(lambda: _waiting(shop) == waiting + 1, "the message")
    assert shop.decision("not-received.csv", version)["status"] == "processed"


def test_without_the_right_to_log_nothing_is_said(guarded_shop: Shop) -> None:
    calls = guarded_shop.validator_log().count("START RequestId")
    with role_without(guarded_shop, "validator", "logs:PutLogEvents", "log-group"):
        guarded_shop.upload("not-logged.csv", HEADER + book(1, "Rights"))
    guarded_shop.upload("logged.csv", HEADER + book(2, "Rights"))
    assert guarded_shop.validator_log().count("START RequestId") == calls + 1


def test_without_the_right_to_describe_an_execution_an_event_that_comes_again_fails(guarded_shop: Shop) -> None:
    """Only then is there an execution of the same name, whose end the validator has to know."""
    shop = guarded_shop
    shop.upload("again.csv", HEADER + book(1, "Rights"))
    eventually(shop.at_rest, "all executions to end")
    arn = shop.cloud.executions()[0]["executionArn"]
    execution = shop.cloud.client("stepfunctions").describe_execution(executionArn=arn)
    [found] = json.loads(execution["input"])["objects"]
    detail = {
        "bucket": {"name": found.pop("bucket")},
        "object": {"version-id": found.pop("version"), **found},
    }
    with role_without(shop, "validator", "states:DescribeExecution", ""):
        queue = shop.cloud.exports["ingest_queue_url"]
        shop.cloud.client("sqs").send_message(QueueUrl=queue, MessageBody=json.dumps({"detail": detail}))
        eventually(lambda: "states:DescribeExecution" in shop.validator_log(), "the validator's complaint")


def _crawl(shop: Shop) -> dict[str, Any]:
    """Run the drift check to its end; what it says of itself."""
    glue, name = shop.cloud.client("glue"), shop.cloud.exports["crawler"]
    glue.start_crawler(Name=name)
    eventually(lambda: glue.get_crawler(Name=name)["Crawler"]["State"] == "READY", "the crawler's end")
    return dict(glue.get_crawler(Name=name)["Crawler"]["LastCrawl"])


@pytest.mark.parametrize(("action", "resource"), DRIFT_CHECK)
def test_without_a_right_the_drift_check_fails(guarded_shop: Shop, action: str, resource: str) -> None:
    with role_without(guarded_shop, "drift-check", action, resource):
        crawl = _crawl(guarded_shop)
    assert crawl["Status"] == "FAILED"
    assert "not authorized" in crawl["ErrorMessage"] or "AccessDenied" in crawl["ErrorMessage"]


def _undelivered(shop: Shop, rule: str) -> float:
    points = shop.cloud.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Events",
        MetricName="FailedInvocations",
        Dimensions=[{"Name": "RuleName", "Value": rule}],
        StartTime="2020-01-01T00:00:00Z",
        EndTime="2100-01-01T00:00:00Z",
        Period=86400,
        Statistics=["Sum"],
    )["Datapoints"]
    return float(sum(point["Sum"] for point in points))


def test_an_upload_that_may_not_be_queued_is_a_dead_letter_and_the_owner_told(guarded_shop: Shop) -> None:
    dead = guarded_shop.cloud.exports["dead_letter_queue_url"]
    with service_shut_out(guarded_shop, "queue", "ingest_queue_url", "events.amazonaws.com"):
        guarded_shop.put("dead.csv", HEADER + book(1, "Rights"))
        eventually(lambda: guarded_shop.cloud.waiting(dead) == 1, "the dead letter")
        guarded_shop.notice("retail-local-undelivered-uploads")
        with service_shut_out(guarded_shop, "queue", "dead_letter_queue_url", "events.amazonaws.com"):
            guarded_shop.put("lost.csv", HEADER + book(1, "Rights"))
            eventually(lambda: _undelivered(guarded_shop, "retail-local-uploads") == 2, "the failure")
        assert guarded_shop.cloud.waiting(dead) == 1


@pytest.mark.parametrize(("action", "resource"), FAILURE_EVENTS)
def test_without_a_right_a_failure_event_is_not_published(guarded_shop: Shop, action: str, resource: str) -> None:
    rule = "retail-local-crawler-failures"
    before = _undelivered(guarded_shop, rule)
    with role_without(guarded_shop, "drift-check", "s3:ListBucket", "-processed-"):
        assert _crawl(guarded_shop)["Status"] == "FAILED"
        assert guarded_shop.notice('"crawlerName": "retail-local-drift-check"')
        assert _undelivered(guarded_shop, rule) == before
        with role_without(guarded_shop, "failure-events", action, resource):
            assert _crawl(guarded_shop)["Status"] == "FAILED"
            eventually(lambda: _undelivered(guarded_shop, rule) > before, "the failure to publish")


@pytest.mark.parametrize(("kind", "name"), [("topic", "failure_topic_arn"), ("key", "notices")])
def test_an_alarm_that_may_not_be_published_is_not(guarded_shop: Shop, kind: str, name: str) -> None:
    shop = guarded_shop
    alarm = {"AlarmName": "retail-local-runs-aborted", "StateValue": "ALARM"}
    cloudwatch, topic = shop.cloud.client("cloudwatch"), shop.cloud.exports["failure_topic_arn"]
    with service_shut_out(shop, kind, name, "cloudwatch.amazonaws.com"):
        cloudwatch.set_alarm_state(**alarm, StateReason=f"unheard, {kind}")
        cloudwatch.set_alarm_state(**{**alarm, "StateValue": "OK"}, StateReason="over")
    cloudwatch.set_alarm_state(**alarm, StateReason=f"heard, {kind}")
    cloudwatch.set_alarm_state(**{**alarm, "StateValue": "OK"}, StateReason="over")
    assert shop.notice(f'"heard, {kind}')["TopicArn"] == topic
    assert not [notice for notice in shop.notices if f"unheard, {kind}" in notice["Message"]]
