"""Nobody may do more than the work needs."""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from tests.infrastructure.conftest import EXISTING, deployed
from tests.infrastructure.recording import ACCOUNT, REGION, Recording

RESOURCE_POLICIES = {
    "aws:kms/key:Key",
    "aws:s3/bucketPolicy:BucketPolicy",
    "aws:sns/topicPolicy:TopicPolicy",
    "aws:sqs/queuePolicy:QueuePolicy",
}

NOTHING_NARROWER = {
    "glue:GetSecurityConfiguration",
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
}
"""Actions that AWS grants on `*` or not at all, by the Service Authorization Reference."""

RIGHTS = {
    "validator": {
        "kms:Decrypt",
        "kms:GenerateDataKey",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "s3:GetObject",
        "s3:GetObjectVersion",
        "s3:ListBucket",
        "s3:PutObject",
        "sns:Publish",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:ReceiveMessage",
        "states:DescribeExecution",
        "states:StartExecution",
    },
    "transform": {
        "glue:BatchCreatePartition",
        "kms:Decrypt",
        "kms:GenerateDataKey",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "s3:AbortMultipartUpload",
        "s3:DeleteObject",
        "s3:GetObject",
        "s3:GetObjectVersion",
        "s3:ListBucket",
        "s3:PutObject",
    },
    "ingest": {
        "glue:BatchStopJobRun",
        "glue:GetJobRun",
        "glue:GetJobRuns",
        "glue:StartJobRun",
        "kms:Decrypt",
        "kms:GenerateDataKey",
        "s3:GetObject",
        "sns:Publish",
    }
    | (NOTHING_NARROWER - {"glue:GetSecurityConfiguration"}),
}


class Statement(NamedTuple):
    holder: str
    type: str
    effect: str
    actions: list[str]
    resources: list[str]
    content: dict[str, Any]


def _list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _statements(deployment: Recording) -> Iterator[Statement]:
    for resource in deployment.resources:
        for key in ("policy", "assumeRolePolicy"):
            if key in resource.inputs:
                for statement in json.loads(resource.inputs[key])["Statement"]:
                    yield Statement(
                        resource.name,
                        resource.type,
                        statement["Effect"],
                        _list(statement["Action"]),
                        _list(statement.get("Resource", [])),
                        statement,
                    )


def _allowed(deployment: Recording, *types: str) -> list[Statement]:
    statements = [each for each in _statements(deployment) if each.effect == "Allow" and each.type in types]
    assert statements
    return statements


def test_no_action_is_a_wildcard(deployment: Recording) -> None:
    allowed = [statement for statement in _statements(deployment) if statement.effect == "Allow"]
    assert [action for statement in allowed for action in statement.actions if "*" in action] == []


def test_no_statement_is_by_exception(deployment: Recording) -> None:
    for statement in _statements(deployment):
        assert {"NotAction", "NotResource", "NotPrincipal"}.isdisjoint(statement.content)


def test_only_actions_that_know_no_resources_are_granted_on_all(deployment: Recording) -> None:
    granted = {
        action
        for statement in _allowed(deployment, "aws:iam/rolePolicy:RolePolicy")
        if "*" in statement.resources
        for action in statement.actions
    }
    assert granted <= NOTHING_NARROWER


def test_every_other_right_is_on_something_that_the_stack_deploys_or_is_told_of(
    deployment: Recording, stack: str
) -> None:
    known = {resource.outputs["arn"] for resource in deployment.resources if "arn" in resource.outputs}
    known |= {
        f"arn:aws:glue:{REGION}:{ACCOUNT}:catalog",
        f"arn:aws:athena:{REGION}:{ACCOUNT}:datacatalog/AwsDataCatalog",
    }
    (database,) = deployment.of_type("aws:glue/catalogDatabase:CatalogDatabase")
    known |= {database.outputs["arn"].replace(":database/", ":table/")}
    (machine,) = deployment.of_type("aws:sfn/stateMachine:StateMachine")
    known |= {machine.outputs["arn"].replace(":stateMachine:", ":execution:")}
    if stack == "existing":
        known |= {value for key, value in EXISTING.items() if key.endswith("Arn")}
        known |= {EXISTING["kmsKey"], f"arn:aws:s3:::{EXISTING['sourceBucket']}"}
    for statement in _allowed(deployment, "aws:iam/rolePolicy:RolePolicy"):
        for resource in statement.resources:
            if resource != "*":
                owner = re.sub(r"[/:](([a-z]+|athena-results|feature-store)/)?\*$", "", resource)
                assert owner in known, f"{statement.holder} has rights on {resource}"
                assert "*" not in owner


def test_a_key_of_the_user_s_is_used_by_those_who_need_it(recordings: dict[str, Recording]) -> None:
    existing = deployed(recordings, "existing")
    users: dict[str, set[str]] = {}
    for statement in _allowed(existing, "aws:iam/rolePolicy:RolePolicy"):
        for resource in statement.resources:
            if ":key/" in resource:
                users.setdefault(resource.rpartition("/")[2], set()).add(statement.holder.rpartition("-")[2])
    assert users == {
        "topics": {"events", "ingest", "validator"},
        "lake": {"check", "ingest", "transform", "validator"},
        "uploads": {"transform", "validator"},
    }


@pytest.mark.parametrize("role", RIGHTS)
def test_a_role_can_do_its_work_and_nothing_else(everything: Recording, role: str) -> None:
    policy = everything.one("aws:iam/rolePolicy:RolePolicy", f"-{role}")
    actions = [action for each in json.loads(policy.inputs["policy"])["Statement"] for action in each["Action"]]
    assert set(actions) == RIGHTS[role]


def test_the_validator_reads_uploads_and_writes_the_ledger_only(everything: Recording) -> None:
    assert _s3_rights(everything, "-validator") == {
        "s3:GetObject": {"source/*", "ledger/objects/*"},
        "s3:GetObjectVersion": {"source/*"},
        "s3:ListBucket": {"ledger"},
        "s3:PutObject": {"ledger/objects/*"},
    }


def test_the_job_changes_nothing_that_was_uploaded_or_deployed(everything: Recording) -> None:
    rights = _s3_rights(everything, "-transform")
    assert rights["s3:PutObject"] == {"processed/*", "quarantine/*", "ledger/objects/*", "ledger/runs/*"}
    assert rights["s3:DeleteObject"] == {"processed/*", "quarantine/*"}
    assert rights["s3:GetObject"] == {
        "source/*",
        "ledger/objects/*",
        "ledger/runs/*",
        "artefacts/contracts/*",
        "artefacts/job/*",
        "artefacts/wheel/*",
    }
    assert rights["s3:ListBucket"] == {"ledger"}


def test_the_state_machine_reads_summaries_only(everything: Recording) -> None:
    assert _s3_rights(everything, "-ingest") == {"s3:GetObject": {"ledger/runs/*"}}


def _s3_rights(deployment: Recording, role: str) -> dict[str, set[str]]:
    """Resources by action, as `<purpose of the bucket>/<keys>`."""
    policy = json.loads(deployment.one("aws:iam/rolePolicy:RolePolicy", role).inputs["policy"])
    rights: dict[str, set[str]] = {}
    for statement in policy["Statement"]:
        for action in filter(lambda action: action.startswith("s3:"), statement["Action"]):
            short = {
                re.sub(rf"^arn:aws:s3:::[a-z-]+-([a-z]+)-{ACCOUNT}-{REGION}", r"\1", resource)
                for resource in statement["Resource"]
            }
            rights.setdefault(action, set()).update(short)
    return rights


def test_one_service_assumes_each_role(deployment: Recording) -> None:
    for statement in _allowed(deployment, "aws:iam/role:Role"):
        assert statement.actions == ["sts:AssumeRole"]
        assert re.fullmatch(r"[a-z-]+\.amazonaws\.com", statement.content["Principal"]["Service"])


HELD_BY_ANOTHER_KEY = {
    ("aws:iam/role:Role", "redshift.amazonaws.com"): "sts:ExternalId",
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
    for statement in _allowed(deployment, "aws:iam/role:Role", *RESOURCE_POLICIES):
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
        for statement in _allowed(everything, "aws:iam/role:Role", *RESOURCE_POLICIES)
    }
    assert all("aws:SourceAccount" not in json.dumps(services[exception]) for exception in HELD_BY_ANOTHER_KEY)


def test_sources_are_named_where_their_services_tell_them(everything: Recording) -> None:
    named = {
        statement.content["Principal"]["Service"]: statement.content["Condition"]["ArnLike"]["aws:SourceArn"]
        for statement in _allowed(everything, "aws:iam/role:Role")
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


def test_queues_and_topics_refuse_plain_text(deployment: Recording) -> None:
    for type_ in ("aws:sns/topicPolicy:TopicPolicy", "aws:sqs/queuePolicy:QueuePolicy"):
        for resource in deployment.of_type(type_):
            denied = [each for each in json.loads(resource.inputs["policy"])["Statement"] if each["Effect"] == "Deny"]
            assert [each["Condition"] for each in denied] == [{"Bool": {"aws:SecureTransport": "false"}}]


def test_queues_topics_and_logs_of_the_crawler_are_encrypted(deployment: Recording) -> None:
    """[SQS.1] [SNS.1] [KMS.4]"""
    keys = {key.outputs["arn"] for key in deployment.of_type("aws:kms/key:Key")}
    assert all(key.inputs["enableKeyRotation"] for key in deployment.of_type("aws:kms/key:Key"))
    assert all(queue.inputs["sqsManagedSseEnabled"] for queue in deployment.of_type("aws:sqs/queue:Queue"))
    assert all(topic.inputs["kmsMasterKeyId"] in keys for topic in deployment.of_type("aws:sns/topic:Topic"))
    assert deployment.one("aws:cloudwatch/logGroup:LogGroup", "-drift-check").inputs["kmsKeyId"] in keys


def test_all_logs_end_sometime(deployment: Recording) -> None:
    groups = deployment.of_type("aws:cloudwatch/logGroup:LogGroup")
    assert groups
    assert all(group.inputs["retentionInDays"] > 0 for group in groups)
