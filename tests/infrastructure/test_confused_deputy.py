"""An AWS service that serves every account acts on our resources for this account only.

https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
"""

import json
import re

from tests.infrastructure.recording import ACCOUNT, REGION, Recording
from tests.infrastructure.statements import RESOURCE_POLICIES, allowed


def test_one_service_assumes_each_role(deployment: Recording) -> None:
    for statement in allowed(deployment, "aws:iam/role:Role"):
        assert statement.actions == ["sts:AssumeRole"]
        assert re.fullmatch(r"[a-z-]+\.amazonaws\.com", statement.content["Principal"]["Service"])


HELD_BY_ANOTHER_KEY = {
    ("aws:iam/role:Role", "redshift.amazonaws.com"): "sts:ExternalId",
    ("aws:iam/role:Role", "redshift-serverless.amazonaws.com"): "sts:ExternalId",
    ("aws:kms/key:Key", f"logs.{REGION}.amazonaws.com"): "kms:EncryptionContext:aws:logs:arn",
    ("aws:sqs/queuePolicy:QueuePolicy", "events.amazonaws.com"): "aws:SourceArn",
}
"""Services that are let in without `aws:SourceAccount`, and the key by which AWS documents to hold them instead: an ARN
that has the account's id. With a key that a service doesn't send, it would be locked out.

- Redshift: https://docs.aws.amazon.com/redshift/latest/mgmt/authorizing-redshift-service-database-users.html
- CloudWatch Logs: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
- EventBridge: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html#eb-sqs-permissions
"""


def test_every_service_is_let_in_for_this_account_only(deployment: Recording) -> None:
    """The confused deputy, at every role and at every resource's policy."""
    for statement in allowed(deployment, "aws:iam/role:Role", *RESOURCE_POLICIES):
        service = statement.content["Principal"].get("Service")
        if service is None:
            assert statement.content["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
            continue
        values = {key: value for operator in statement.content["Condition"].values() for key, value in operator.items()}
        other = HELD_BY_ANOTHER_KEY.get((statement.type, service))
        if other:
            assert values[other].split(":")[3:5] == [REGION, ACCOUNT], f"{statement.holder} lets {service} in"
        else:
            assert values["aws:SourceAccount"] == ACCOUNT, f"{statement.holder} lets {service} in"


def test_every_exception_of_the_confused_deputy_is_one(everything: Recording) -> None:
    services = {
        (statement.type, statement.content["Principal"].get("Service")): statement.content.get("Condition")
        for statement in allowed(everything, "aws:iam/role:Role", *RESOURCE_POLICIES)
    }
    assert all("aws:SourceAccount" not in json.dumps(services[exception]) for exception in HELD_BY_ANOTHER_KEY)


def test_sources_are_named_where_their_services_tell_them(everything: Recording) -> None:
    named = {
        statement.content["Principal"]["Service"]: statement.content["Condition"]["ArnLike"]["aws:SourceArn"]
        for statement in allowed(everything, "aws:iam/role:Role")
        if "ArnLike" in statement.content["Condition"]
    }
    name = "shops-of-the-north-east"
    assert named == {
        "chatbot.amazonaws.com": f"arn:aws:chatbot::{ACCOUNT}:*",
        "events.amazonaws.com": f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{name}-*",
        "lakeformation.amazonaws.com": f"arn:aws:lakeformation:{REGION}:{ACCOUNT}:*",
        "quicksight.amazonaws.com": f"arn:aws:quicksight:{REGION}:{ACCOUNT}:*",
        "sagemaker.amazonaws.com": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:feature-group/{name}-*",
        "vpc-flow-logs.amazonaws.com": f"arn:aws:ec2:{REGION}:{ACCOUNT}:vpc-flow-log/*",
    }


def test_event_rules_publish_by_a_role_not_by_the_topic_s_policy(deployment: Recording) -> None:
    """In a topic's policy a condition silences EventBridge; without one, every account's rules would publish."""
    for type_ in ("aws:sns/topicPolicy:TopicPolicy", "aws:kms/key:Key"):
        for resource in deployment.of_type(type_):
            assert "events.amazonaws.com" not in resource.inputs["policy"]
    to_topics = [
        each for each in deployment.of_type("aws:cloudwatch/eventTarget:EventTarget") if ":sns:" in each.inputs["arn"]
    ]
    role = deployment.one("aws:iam/role:Role", "-failure-events")
    assert [each.inputs["roleArn"] for each in to_topics] == [role.outputs["arn"]] * 2
    rights = json.loads(deployment.one("aws:iam/rolePolicy:RolePolicy", "-failure-events").inputs["policy"])
    assert [each["Action"] for each in rights["Statement"]] == [["sns:Publish"], ["kms:Decrypt", "kms:GenerateDataKey"]]
