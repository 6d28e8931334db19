"""A bucket that keeps what it is given, for nobody else to see."""

from collections.abc import Sequence
from typing import NamedTuple

import pulumi
import pulumi_aws as aws

from components.policies import Account, Statement, bucket_arn, deny_plain_text, document

LifecycleRule = aws.s3.BucketLifecycleConfigurationRuleArgsDict


class Encryption(NamedTuple):
    """What a bucket encrypts with: a KMS key, or with None S3's own keys."""

    kms_key_arn: pulumi.Input[str] | None


def private_bucket(
    name: str,
    account: Account,
    *,
    protect: bool,
    encryption: Encryption,
    lifecycle: Sequence[LifecycleRule],
    statements: Sequence[Statement] = (),
    parent: pulumi.Resource,
) -> aws.s3.Bucket:
    """A bucket that is private, encrypted, versioned, without access control lists and reached by TLS only.

    It is named `<name>-<account>-<region>`, so that no two accounts or regions compete for a name. With `protect`
    it outlives its stack; without, it goes with all it holds. `statements` add to its policy.
    """
    bucket = aws.s3.Bucket(
        name,
        bucket=pulumi.Output.concat(f"{name}-", account.id, "-", account.region),
        force_destroy=not protect,
        opts=pulumi.ResourceOptions(parent=parent, protect=protect, retain_on_delete=protect),
    )
    options = pulumi.ResourceOptions(parent=bucket)
    aws.s3.BucketVersioning(name, bucket=bucket.bucket, versioning_configuration={"status": "Enabled"}, opts=options)
    aws.s3.BucketServerSideEncryptionConfiguration(
        name, bucket=bucket.bucket, rules=[_encryption_rule(encryption)], opts=options
    )
    aws.s3.BucketOwnershipControls(
        name, bucket=bucket.bucket, rule={"object_ownership": "BucketOwnerEnforced"}, opts=options
    )
    private = aws.s3.BucketPublicAccessBlock(
        name,
        bucket=bucket.bucket,
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
        opts=options,
    )
    encrypted_transit = deny_plain_text("s3:*", bucket_arn(bucket.bucket), bucket_arn(bucket.bucket, "*"))
    aws.s3.BucketPolicy(
        name,
        bucket=bucket.bucket,
        policy=document(encrypted_transit, *statements),
        # S3 refuses to change both at the same time.
        opts=pulumi.ResourceOptions(parent=bucket, depends_on=[private]),
    )
    aws.s3.BucketLifecycleConfiguration(name, bucket=bucket.bucket, rules=lifecycle, opts=options)
    return bucket


def forget(noncurrent_days: pulumi.Input[int]) -> LifecycleRule:
    """The rule that removes what nobody sees: old versions after some days, and uploads that never ended."""
    return {
        "id": "remove-what-nobody-sees",
        "status": "Enabled",
        "filter": {"prefix": ""},
        "noncurrent_version_expiration": {"noncurrent_days": noncurrent_days},
        "abort_incomplete_multipart_upload": {"days_after_initiation": 7},
        "expiration": {"expired_object_delete_marker": True},
    }


def expire(id_: str, prefix: str, days: pulumi.Input[int]) -> LifecycleRule:
    """The rule that removes the objects below a prefix after some days."""
    return {"id": id_, "status": "Enabled", "filter": {"prefix": prefix}, "expiration": {"days": days}}


def _encryption_rule(
    encryption: Encryption,
) -> aws.s3.BucketServerSideEncryptionConfigurationRuleArgsDict:
    if encryption.kms_key_arn is None:
        return {"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}
    return {
        "apply_server_side_encryption_by_default": {
            "sse_algorithm": "aws:kms",
            "kms_master_key_id": encryption.kms_key_arn,
        },
        # One call of KMS for many objects instead of one for each.
        "bucket_key_enabled": True,
    }
