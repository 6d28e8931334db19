"""Policies about the way a request comes count the loopback as safe, and still deny what they deny."""

import json

import pytest
from botocore.exceptions import ClientError

from emulator.clients import Credentials
from emulator.gaps.access import glue_resources, log_resources
from tests.emulator.toys import Toys, allow


def credentials(toys: Toys, role: str) -> Credentials:
    """Credentials of a role that this account's administrator assumes."""
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    toys.client("iam").update_assume_role_policy(
        RoleName=role.rpartition("/")[2], PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )
    keys = toys.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    return Credentials(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])


@pytest.mark.parametrize(("key", "decision"), [("aws:SecureTransport", "allowed"), ("aws:PrincipalType", "denied")])
def test_the_loopback_counts_as_secure(toys: Toys, key: str, decision: str) -> None:
    bucket = toys.bucket()
    toys.put(bucket, "a", b"x")
    value = "false" if key == "aws:SecureTransport" else "AssumedRole"
    operator = "Bool" if key == "aws:SecureTransport" else "StringEquals"
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
        "Condition": {operator: {key: value}},
    }
    toys.client("s3").put_bucket_policy(
        Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    )
    role = toys.role("lambda.amazonaws.com", allow("s3:GetObject"))
    s3 = toys.server.client("s3", credentials(toys, role))
    if decision == "allowed":
        assert s3.get_object(Bucket=bucket, Key="a")["Body"].read() == b"x"
    else:
        with pytest.raises(ClientError, match="AccessDenied"):
            s3.get_object(Bucket=bucket, Key="a")


def test_a_queue_that_refuses_insecure_transport_gets_events(toys: Toys) -> None:
    bucket = toys.bucket(events=True)
    queue = toys.queue_of_events({"source": ["aws.s3"], "detail": {"bucket": {"name": [bucket]}}})
    statements = [
        {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage"},
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "sqs:*",
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
    ]
    policy = {"Version": "2012-10-17", "Statement": [{**entry, "Resource": "*"} for entry in statements]}
    toys.client("sqs").set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps(policy)})
    toys.put(bucket, "a", b"x")
    assert toys.messages(queue)


@pytest.mark.parametrize(
    ("operation", "request_", "resources"),
    [
        ("GetDatabase", {"Name": "d"}, ["catalog", "database/d"]),
        ("CreateDatabase", {"DatabaseInput": {"Name": "d"}}, ["catalog", "database/d"]),
        ("GetDatabases", {}, ["catalog"]),
        ("GetTable", {"DatabaseName": "d", "Name": "t"}, ["catalog", "database/d", "table/d/t"]),
        ("GetTables", {"DatabaseName": "d"}, ["catalog", "database/d", "table/d/*"]),
        ("CreateTable", {"DatabaseName": "d", "TableInput": {"Name": "t"}}, ["catalog", "database/d", "table/d/t"]),
        ("GetPartitions", {"DatabaseName": "d", "TableName": "t"}, ["catalog", "database/d", "table/d/t"]),
        ("StartCrawler", {"Name": "c"}, ["crawler/c"]),
        ("StartJobRun", {"JobName": "j"}, ["job/j"]),
        ("CreateSecurityConfiguration", {"Name": "s"}, []),
    ],
)
def test_glue_requests_are_held_against_their_true_resources(
    operation: str, request_: dict[str, object], resources: list[str]
) -> None:
    assert glue_resources(operation, request_) == resources


def test_log_policies_may_name_the_group_both_ways() -> None:
    assert log_resources({"logGroupName": "g"}) == ("log-group:g:*", "log-group:g")
    assert log_resources({"logGroupName": "g", "logStreamName": "s"}) == ("log-group:g:log-stream:s",)
