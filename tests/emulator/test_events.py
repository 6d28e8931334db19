"""A rule sends to its target as the target's role, or, where there is none, as the target's own policy allows."""

import json
from typing import Any

import pytest

from emulator.clients import ACCOUNT, REGION
from tests.emulator.toys import Toys, allow

EVENTS = "events.amazonaws.com"


class Bell:
    """A rule that rings a topic, encrypted with a key, for the failures of a crawler that doesn't exist."""

    def __init__(self, toys: Toys) -> None:
        self.toys, self.events = toys, toys.client("events")
        self.topic, self.queue = toys.topic_queue()
        self.key = toys.client("kms").create_key()["KeyMetadata"]["Arn"]
        toys.client("sns").set_topic_attributes(
            TopicArn=self.topic, AttributeName="KmsMasterKeyId", AttributeValue=self.key
        )
        self.rule, self.source = toys.name("rule"), toys.name("source")
        self.arn = self.events.put_rule(Name=self.rule, EventPattern=json.dumps({"source": [self.source]}))["RuleArn"]

    def rights(self) -> list[dict[str, Any]]:
        return [allow("sns:Publish", self.topic), allow(["kms:Decrypt", "kms:GenerateDataKey"], self.key)]

    def trust(self, role: str, **condition: dict[str, str]) -> None:
        """Lets EventBridge assume the role on a condition."""
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": EVENTS},
            "Action": "sts:AssumeRole",
            "Condition": condition,
        }
        self.toys.client("iam").update_assume_role_policy(
            RoleName=role.rpartition("/")[2],
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
        )

    def policy(self, *statements: dict[str, Any]) -> None:
        """Gives the topic a policy of its own."""
        document = {"Version": "2012-10-17", "Statement": statements}
        self.toys.client("sns").set_topic_attributes(
            TopicArn=self.topic, AttributeName="Policy", AttributeValue=json.dumps(document)
        )

    def rings(self, role: str = "") -> bool:
        """Whether an event comes through; if not, EventBridge has counted it as undelivered."""
        target = {"Id": "topic", "Arn": self.topic} | ({"RoleArn": role} if role else {})
        assert not self.events.put_targets(Rule=self.rule, Targets=[target])["FailedEntryCount"]
        failed = self._failed()
        self.events.put_events(Entries=[{"Source": self.source, "DetailType": "Test", "Detail": "{}"}])
        rang = bool(self.toys.messages(self.queue, seconds=0))
        assert self._failed() - failed == (0 if rang else 1)
        return rang

    def _failed(self) -> float:
        points = self.toys.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/Events",
            MetricName="FailedInvocations",
            Dimensions=[{"Name": "RuleName", "Value": self.rule}],
            StartTime="2020-01-01T00:00:00Z",
            EndTime="2100-01-01T00:00:00Z",
            Period=86400,
            Statistics=["Sum"],
        )["Datapoints"]
        return float(sum(point["Sum"] for point in points))


@pytest.fixture
def bell(toys: Toys) -> Bell:
    return Bell(toys)


def test_a_role_with_the_rights_needs_no_policy_of_the_topic(toys: Toys, bell: Bell) -> None:
    bell.policy(allow("sns:Publish", bell.topic) | {"Principal": {"Service": "cloudwatch.amazonaws.com"}})
    role = toys.role(EVENTS, *bell.rights())
    assert bell.rings(role)
    assert not bell.rings()


@pytest.mark.parametrize("missing", [0, 1], ids=["the topic", "its key"])
def test_a_role_without_a_right_publishes_nothing_whatever_the_topics_policy_says(
    toys: Toys, bell: Bell, missing: int
) -> None:
    bell.policy(allow("sns:Publish", bell.topic) | {"Principal": {"Service": EVENTS}})
    rights = bell.rights()
    del rights[missing]
    assert not bell.rings(toys.role(EVENTS, *rights))


def test_a_topic_may_refuse_a_role_with_all_rights(toys: Toys, bell: Bell) -> None:
    bell.policy({"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "sns:Publish", "Resource": bell.topic})
    assert not bell.rings(toys.role(EVENTS, *bell.rights()))


def test_without_a_role_the_policies_of_topic_and_key_decide(toys: Toys, bell: Bell) -> None:
    bell.policy(allow("sns:Publish", bell.topic) | {"Principal": {"Service": EVENTS}})
    assert not bell.rings()
    use = allow(["kms:*"]) | {"Principal": {"Service": EVENTS}}
    toys.client("kms").put_key_policy(
        KeyId=bell.key, PolicyName="default", Policy=json.dumps({"Version": "2012-10-17", "Statement": [use]})
    )
    assert bell.rings()


@pytest.mark.parametrize(
    ("condition", "rings"),
    [
        ({"StringEquals": {"aws:SourceAccount": ACCOUNT}}, True),
        ({"StringEquals": {"aws:SourceAccount": "111111111111"}}, False),
        ({"ArnLike": {"aws:SourceArn": f"arn:aws:events:{REGION}:{ACCOUNT}:rule/rule-*"}}, True),
        ({"ArnLike": {"aws:SourceArn": f"arn:aws:events:{REGION}:{ACCOUNT}:rule/other-*"}}, False),
    ],
)
def test_a_role_trusts_eventbridge_for_the_sources_of_its_conditions(
    toys: Toys, bell: Bell, condition: dict[str, dict[str, str]], rings: bool
) -> None:
    role = toys.role(EVENTS, *bell.rights())
    bell.trust(role, **condition)
    assert bell.rings(role) is rings


def test_another_services_role_and_no_role_at_all_publish_nothing(toys: Toys, bell: Bell) -> None:
    assert not bell.rings(toys.role("glue.amazonaws.com", *bell.rights()))
    assert not bell.rings(f"arn:aws:iam::{ACCOUNT}:role/nobody")
