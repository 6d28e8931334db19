"""IAM documents and ARNs, in the standard partition `aws`."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pulumi
import pulumi_aws as aws

Statement = Mapping[str, Any]


class Account(NamedTuple):
    """The account and region that the stack is deployed to."""

    id: pulumi.Output[str]
    region: pulumi.Output[str]

    def arn(self, service: str, *resource: pulumi.Input[str]) -> pulumi.Output[str]:
        """The ARN of a resource of this account and region; the parts of `resource` are joined as they are."""
        return pulumi.Output.concat("arn:aws:", service, ":", self.region, ":", self.id, ":", *resource)

    def database_arns(self, database: pulumi.Input[str]) -> list[pulumi.Output[str]]:
        """The catalogue, a database of it, and that database's tables, which reading one of them is about."""
        return [
            self.arn("glue", "catalog"),
            self.arn("glue", "database/", database),
            self.arn("glue", "table/", database, "/*"),
        ]


READ_CATALOGUE = (
    "glue:BatchGetPartition",
    "glue:GetDatabase",
    "glue:GetDatabases",
    "glue:GetPartition",
    "glue:GetPartitions",
    "glue:GetTable",
    "glue:GetTables",
)
"""What an engine asks the Data Catalog for, to read its tables."""


def current_account(parent: pulumi.Resource) -> Account:
    """Asks the provider of `parent` where it deploys to."""
    options = pulumi.InvokeOutputOptions(parent=parent)
    identity, region = aws.get_caller_identity_output(opts=options), aws.get_region_output(opts=options)
    return Account(identity.account_id, region.region)


def bucket_arn(bucket: pulumi.Input[str], objects: str | None = None) -> pulumi.Output[str]:
    """The ARN of a bucket, or with `objects` (a key or a key pattern) of objects in it."""
    return pulumi.Output.concat("arn:aws:s3:::", bucket, f"/{objects}" if objects else "")


Resource = pulumi.Input[str] | pulumi.Input[str | None] | pulumi.Input[Sequence[str]]
"""An ARN, several, or None for none."""


def allow(actions: Sequence[str], *resources: Resource, conditions: Mapping[str, Any] | None = None) -> Statement:
    """A statement of a role's policy."""
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": list(resources)}
    return statement | {"Condition": conditions} if conditions else statement


def allow_service(
    service: pulumi.Input[str], actions: Sequence[str], resource: pulumi.Input[str], conditions: Mapping[str, Any]
) -> Statement:
    """A statement of a resource's policy that lets an AWS service in, for the conditions' sources only.

    The conditions guard against the confused deputy:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
    """
    principal = {"Principal": {"Service": service}}
    return {**allow(actions, resource, conditions=conditions), **principal}


def deny_plain_text(actions: str, *resources: pulumi.Input[str]) -> Statement:
    """Refuses every call that isn't encrypted in transit (AWS FSBP S3.5)."""
    return {
        "Sid": "DenyPlainText",
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": actions,
        "Resource": list(resources),
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def document(*statements: Statement) -> pulumi.Output[str]:
    """The policy document of these statements, as JSON.

    A resource that is None (a key that nobody uses) is left out, and with it a statement about nothing else.
    """
    return pulumi.Output.from_input(list(statements)).apply(
        lambda resolved: json.dumps({"Version": "2012-10-17", "Statement": _about_something(resolved)})
    )


def _about_something(statements: Sequence[Statement]) -> list[dict[str, Any]]:
    kept = []
    for statement in statements:
        resources = [
            one for each in statement.get("Resource", ()) for one in (each if isinstance(each, list) else [each])
        ]
        named = [resource for resource in resources if resource is not None]
        if named or "Resource" not in statement:
            kept.append({**statement, "Resource": named} if named else dict(statement))
    return kept


class ServiceRole(NamedTuple):
    """A role and its rights; what assumes the role should depend on `policy` too, or it may start without."""

    role: aws.iam.Role
    policy: aws.iam.RolePolicy


def service_role(
    name: str,
    service: str | Sequence[str],
    statements: Sequence[Statement],
    *,
    description: str,
    parent: pulumi.Resource,
    conditions: Mapping[str, Any] | None = None,
) -> ServiceRole:
    """A role that an AWS service (or several) assumes, with these rights and no others.

    The service may do so for the conditions' sources only, by default for this account (see `from_account`).
    """
    options = pulumi.ResourceOptions(parent=parent)
    trust = trusted(service, conditions or from_account(current_account(parent)))
    role = aws.iam.Role(name, name=name, description=description, assume_role_policy=trust, opts=options)
    policy = aws.iam.RolePolicy(name, name=name, role=role.name, policy=document(*statements), opts=options)
    return ServiceRole(role, policy)


def trusted(service: str | Sequence[str], conditions: Mapping[str, Any]) -> pulumi.Output[str]:
    """Lets a service (or each of several) assume a role for the conditions' sources only.

    The conditions guard against the confused deputy.
    """
    services = [service] if isinstance(service, str) else service
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Condition": conditions}
    return document(*({**trust, "Principal": {"Service": each}} for each in services))


def from_account(account: Account, source_arns: pulumi.Input[str] | None = None) -> Mapping[str, Any]:
    """The conditions that a service acts for this account, and for these of its resources if they are given.

    Without `source_arns` no other account gets in either. They are given where the service's document says which
    they are; a role whose service sends others couldn't be assumed. Documents of the services that send
    `aws:SourceAccount`, beside those named where they are used:

    - Glue: https://docs.aws.amazon.com/glue/latest/dg/cross-service-confused-deputy-prevention.html
    - Lambda: https://docs.aws.amazon.com/lambda/latest/dg/permissions-managed-policies.html. The function and its
      event source mapping, which reads the queue, are two sources of one role.
    - Step Functions: https://docs.aws.amazon.com/step-functions/latest/dg/procedure-create-iam-role.html
    """
    conditions: dict[str, Any] = {"StringEquals": {"aws:SourceAccount": account.id}}
    return conditions | ({"ArnLike": {"aws:SourceArn": source_arns}} if source_arns is not None else {})


KEY_ADMINISTRATION = (
    "kms:CancelKeyDeletion",
    "kms:CreateAlias",
    "kms:DeleteAlias",
    "kms:DescribeKey",
    "kms:DisableKey",
    "kms:DisableKeyRotation",
    "kms:EnableKey",
    "kms:EnableKeyRotation",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
    "kms:ListAliases",
    "kms:ListKeyPolicies",
    "kms:ListResourceTags",
    "kms:PutKeyPolicy",
    "kms:ScheduleKeyDeletion",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:UpdateAlias",
    "kms:UpdateKeyDescription",
)
KEY_USE = ("kms:Decrypt", "kms:GenerateDataKey")


def encryption_key(
    name: str,
    account: Account,
    statements: Sequence[Statement],
    *,
    description: str,
    parent: pulumi.Resource,
    protect: bool = False,
    retain: bool = False,
) -> aws.kms.Key:
    """A rotated key with an alias: administered and used by the account's IAM policies, and by `statements`.

    With `protect` a plain destroy stops at it. With `retain` it outlives its stack and its place in the program, as
    what it encrypts may do.

    In a key's policy the resource `*` means the key itself:
    https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html
    """
    root = {"AWS": account.id.apply(lambda id_: f"arn:aws:iam::{id_}:root")}
    administration = {**allow([*KEY_ADMINISTRATION, *KEY_USE], "*"), "Principal": root}
    options = pulumi.ResourceOptions(parent=parent)
    key = aws.kms.Key(
        name,
        description=description,
        enable_key_rotation=True,
        deletion_window_in_days=30,
        policy=document(administration, *statements),
        opts=pulumi.ResourceOptions(parent=parent, protect=protect, retain_on_delete=retain),
    )
    aws.kms.Alias(name, name=f"alias/{name}", target_key_id=key.key_id, opts=options)
    return key
