"""Nobody may do more than the work needs."""

import json
import re

from tests.infrastructure.conftest import EVERYTHING, EXISTING, deployed
from tests.infrastructure.recording import ACCOUNT, REGION, Recording
from tests.infrastructure.statements import allowed, statements

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
    "drift-check": {
        "glue:BatchGetPartition",
        "glue:GetDatabase",
        "glue:GetPartition",
        "glue:GetPartitions",
        "glue:GetSecurityConfiguration",
        "glue:GetTable",
        "glue:GetTables",
        "glue:UpdatePartition",
        "glue:UpdateTable",
        "kms:Decrypt",
        "logs:AssociateKmsKey",
        "logs:CreateLogGroup",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "s3:GetBucketLocation",
        "s3:GetObject",
        "s3:ListBucket",
    },
}

READ_TABLES = {
    "glue:BatchGetPartition",
    "glue:GetDatabase",
    "glue:GetDatabases",
    "glue:GetPartition",
    "glue:GetPartitions",
    "glue:GetTable",
    "glue:GetTables",
}
RIGHTS_USED_INSIDE_AWS = {
    "chat": set(),
    "failure-events": {"kms:Decrypt", "kms:GenerateDataKey", "sns:Publish"},
    "feature-store": {
        "glue:GetTable",
        "kms:Decrypt",
        "kms:GenerateDataKey",
        "s3:GetBucketAcl",
        "s3:PutObject",
        "s3:PutObjectAcl",
    },
    "lake-formation": {"kms:Decrypt", "s3:GetObject", "s3:ListBucket"},
    "quicksight": READ_TABLES
    | {
        "athena:GetDataCatalog",
        "athena:GetDatabase",
        "athena:GetQueryExecution",
        "athena:GetQueryResults",
        "athena:GetQueryResultsStream",
        "athena:GetTableMetadata",
        "athena:GetWorkGroup",
        "athena:StartQueryExecution",
        "athena:StopQueryExecution",
        "kms:Decrypt",
        "kms:GenerateDataKey",
        "s3:AbortMultipartUpload",
        "s3:GetBucketLocation",
        "s3:GetObject",
        "s3:ListBucket",
        "s3:ListMultipartUploadParts",
        "s3:PutObject",
    },
    "warehouse": READ_TABLES | {"kms:Decrypt", "s3:GetBucketLocation", "s3:GetObject", "s3:ListBucket"},
    "warehouse-flow": {
        "logs:CreateLogStream",
        "logs:DescribeLogGroups",
        "logs:DescribeLogStreams",
        "logs:PutLogEvents",
    },
}
"""Of these roles no statement can be taken away to see what breaks: Redshift, Quick Sight, Lake Formation, the feature
store, the chat and flow logs do their work where no emulator follows. So here nothing is added unseen. `tests/cloud`
takes away the rights of the others. Sources:
https://docs.aws.amazon.com/redshift/latest/dg/c-spectrum-iam-policies.html,
https://docs.aws.amazon.com/lake-formation/latest/dg/registration-role.html,
https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html, and those named in the components."""


def test_no_action_is_a_wildcard(deployment: Recording) -> None:
    allowed = [statement for statement in statements(deployment) if statement.effect == "Allow"]
    assert [action for statement in allowed for action in statement.actions if "*" in action] == []


def test_no_statement_is_by_exception(deployment: Recording) -> None:
    for statement in statements(deployment):
        assert {"NotAction", "NotResource", "NotPrincipal"}.isdisjoint(statement.content)


def test_only_actions_that_know_no_resources_are_granted_on_all(deployment: Recording) -> None:
    granted = {
        action
        for statement in allowed(deployment, "aws:iam/rolePolicy:RolePolicy")
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
    for statement in allowed(deployment, "aws:iam/rolePolicy:RolePolicy"):
        for resource in statement.resources:
            if resource != "*":
                owner = re.sub(r"[/:](([a-z]+|athena-results|feature-store)/)?\*$", "", resource)
                assert owner in known, f"{statement.holder} has rights on {resource}"
                assert "*" not in owner


def test_a_key_of_the_user_s_is_used_by_those_who_need_it(recordings: dict[str, Recording]) -> None:
    existing = deployed(recordings, "existing")
    users: dict[str, set[str]] = {}
    for statement in allowed(existing, "aws:iam/rolePolicy:RolePolicy"):
        for resource in statement.resources:
            if ":key/" in resource:
                users.setdefault(resource.rpartition("/")[2], set()).add(statement.holder.rpartition("-")[2])
    assert users == {
        "topics": {"events", "ingest", "validator"},
        "lake": {"check", "ingest", "transform", "validator"},
        "uploads": {"transform", "validator"},
    }


def test_a_role_can_do_its_work_and_nothing_else(everything: Recording) -> None:
    rights: dict[str, set[str]] = {
        role.name.removeprefix(f"{EVERYTHING['name']}-"): set() for role in everything.of_type("aws:iam/role:Role")
    }
    for policy in everything.of_type("aws:iam/rolePolicy:RolePolicy"):
        statements = json.loads(policy.inputs["policy"])["Statement"]
        rights[policy.name.removeprefix(f"{EVERYTHING['name']}-")].update(
            action for statement in statements for action in statement["Action"]
        )
    assert rights == {**RIGHTS, **RIGHTS_USED_INSIDE_AWS}


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
