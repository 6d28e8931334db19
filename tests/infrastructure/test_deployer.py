"""The rights to deploy with cover what a stack may have, and name what can be named.

They are as good as an administrator's all the same: who may make roles with any rights may do anything.
"""

import json
from fnmatch import fnmatchcase
from typing import Any

import pytest
from cfnlint.api import ManualArgs, lint
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

from policies.resources import listed
from tests.infrastructure.cloudformation import NOT_IN_CLOUDFORMATION, cloudformation_type
from tests.infrastructure.recording import REGION, ROOT, Recording

POLICY: dict[str, Any] = json.loads((ROOT / "docs" / "deployer-policy.json").read_text(encoding="utf-8"))
ALLOWED = [action for statement in POLICY["Statement"] for action in listed(statement["Action"])]

NOT_OF_OURS = {
    "AWS::S3::Bucket": {"s3-object-lambda:*", "s3tables:*", "s3express:*"},
    "AWS::IAM::Role": {"iam:AttachRolePolicy", "iam:DetachRolePolicy", "iam:*PermissionsBoundary"},
    "AWS::Lambda::Function": {"ec2:*", "elasticfilesystem:*", "s3files:*", "kms:Encrypt"},
    "AWS::Budgets::Budget": {"billing:GetBillingViewData"},
    "AWS::EC2::FlowLog": {"autoscaling:*"},
    "AWS::EC2::Subnet": {"ec2:*SubnetCidrBlock"},
    "AWS::EC2::VPC": {"ec2:*VpcEncryptionControl", "ec2:ModifyVpcTenancy"},
    "AWS::EC2::VPCEndpoint": {"vpc-lattice:*", "vpce:AllowMultiRegion"},
    "AWS::Logs::LogGroup": {"firehose:*"},
    "AWS::RedshiftServerless::Namespace": {"kms:*", "redshift:*", "*SnapshotCopyConfiguration"},
    "AWS::RedshiftServerless::Workgroup": {"redshift-serverless:RestoreFrom*"},
    "AWS::KMS::Key": {"kms:*ReplicateKey*", "kms:UpdatePrimaryRegion"},
}
"""Rights that CloudFormation asks for kinds of these resources that our program doesn't make."""


def _is_allowed(action: str) -> bool:
    return any(fnmatchcase(action.lower(), pattern.lower()) for pattern in ALLOWED)


def test_the_deployer_may_create_read_update_and_delete_every_resource(everything: Recording) -> None:
    types = {resource.type for resource in everything.resources if resource.custom} - NOT_IN_CLOUDFORMATION
    missing: dict[str, set[str]] = {}
    for type_ in {cloudformation_type(type_) for type_ in types}:
        handlers = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, type_).schema.get("handlers", {})
        kinds = ("create", "read", "update", "delete")
        needed = {right for kind in kinds for right in handlers.get(kind, {}).get("permissions", [])}
        ours = {right for right in needed if not any(fnmatchcase(right, each) for each in NOT_OF_OURS.get(type_, ()))}
        missing[type_] = {right for right in ours if not _is_allowed(right)}
    assert sorted(f"{type_} {right}" for type_, rights in missing.items() for right in rights) == []


@pytest.mark.parametrize(
    "action", ["redshift-data:ExecuteStatement", "redshift-serverless:CreateUsageLimit", "s3:PutObject"]
)
def test_what_cloudformation_does_not_know_is_covered_too(action: str) -> None:
    assert _is_allowed(action)


def test_the_policy_is_well_formed() -> None:
    resource = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": POLICY}}
    template = {"AWSTemplateFormatVersion": "2010-09-09", "Resources": {"Deployer": resource}}
    assert [str(match) for match in lint(json.dumps(template), config=ManualArgs(regions=[REGION]))] == []
    assert len(json.dumps(POLICY, separators=(",", ":"))) <= 6144  # of a managed policy


def test_roles_and_buckets_of_others_are_out_of_reach() -> None:
    for statement in POLICY["Statement"]:
        actions = listed(statement["Action"])
        if any(action.startswith(("s3:", "iam:")) and "ServiceLinked" not in action for action in actions):
            assert all("retail" in resource for resource in listed(statement["Resource"]) if ":s3:" in resource)
            assert "*" not in listed(statement["Resource"])
    [passing] = [each for each in POLICY["Statement"] if "iam:PassRole" in listed(each["Action"])]
    assert all(
        service.endswith(".amazonaws.com") for service in passing["Condition"]["StringEquals"]["iam:PassedToService"]
    )


def test_every_service_that_gets_a_role_may_get_it(everything: Recording) -> None:
    [passing] = [each for each in POLICY["Statement"] if "iam:PassRole" in listed(each["Action"])]
    trusted = {
        statement["Principal"]["Service"]
        for role in everything.of_type("aws:iam/role:Role")
        for statement in json.loads(role.inputs["assumeRolePolicy"])["Statement"]
    }
    assert trusted <= set(passing["Condition"]["StringEquals"]["iam:PassedToService"])


def test_what_can_be_named_is() -> None:
    """By the Service Authorization Reference; the rest has identifiers of AWS's making, or none."""
    anywhere = {
        action.partition(":")[0]
        for statement in POLICY["Statement"]
        if listed(statement["Resource"]) == ["*"] and "Condition" not in statement
        for action in listed(statement["Action"])
    }
    assert anywhere.isdisjoint({"iam", "s3", "secretsmanager"})
    conditions = {each["Sid"]: each.get("Condition", {}) for each in POLICY["Statement"]}
    assert conditions["LinkedRoles"]["StringEquals"]["iam:AWSServiceName"]
    assert conditions["QueueOfTheValidator"]["ArnLike"]["lambda:FunctionArn"].endswith(":function:retail-*")
