"""The pipeline's buckets."""

from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components.policies import Account, bucket_arn, current_account, deny_plain_text, document

QUERY_RESULTS_PREFIX = "athena-results/"
"""Where in the artefact bucket Athena leaves its results, which nobody needs for long."""


class StorageArgs(TypedDict):
    protect: NotRequired[bool]
    """Keep the buckets and all they hold when the stack is destroyed. Default true."""

    noncurrent_days: NotRequired[pulumi.Input[int]]
    """Days after which an overwritten or deleted object's old version is removed for good. Default 90."""

    query_result_days: NotRequired[pulumi.Input[int]]
    """Days after which a query's result is removed. Default 30."""


class Storage(pulumi.ComponentResource):
    """Five buckets: uploads, accepted rows, refused rows, the ledger, and the programs that are deployed.

    Each is private, encrypted, versioned, reached by TLS only, and named
    `<name>-<purpose>-<account>-<region>`, so that no two accounts or regions compete for a name.
    The source bucket tells EventBridge of every object.
    """

    source_bucket: pulumi.Output[str]
    """Name of the bucket that shops upload to."""

    processed_bucket: pulumi.Output[str]
    """Name of the bucket of accepted rows, as partitioned Parquet."""

    quarantine_bucket: pulumi.Output[str]
    """Name of the bucket of refused rows, as Parquet."""

    ledger_bucket: pulumi.Output[str]
    """Name of the bucket that records what came of each object version and each run."""

    artefact_bucket: pulumi.Output[str]
    """Name of the bucket of deployed programs and query results."""

    def __init__(self, name: str, args: StorageArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("retail:storage:Storage", name, {}, opts)
        account = current_account(self)
        source = self._bucket(name, "source", account, args)
        aws.s3.BucketNotification(
            f"{name}-source",
            bucket=source.bucket,
            eventbridge=True,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.source_bucket = source.bucket
        self.processed_bucket = self._bucket(name, "processed", account, args).bucket
        self.quarantine_bucket = self._bucket(name, "quarantine", account, args).bucket
        self.ledger_bucket = self._bucket(name, "ledger", account, args).bucket
        self.artefact_bucket = self._bucket(name, "artefacts", account, args).bucket
        self.register_outputs(
            {
                "source_bucket": self.source_bucket,
                "processed_bucket": self.processed_bucket,
                "quarantine_bucket": self.quarantine_bucket,
                "ledger_bucket": self.ledger_bucket,
                "artefact_bucket": self.artefact_bucket,
            }
        )

    def _bucket(self, name: str, purpose: str, account: Account, args: StorageArgs) -> aws.s3.Bucket:
        protect = args.get("protect", True)
        bucket = aws.s3.Bucket(
            f"{name}-{purpose}",
            bucket=pulumi.Output.concat(f"{name}-{purpose}-", account.id, "-", account.region),
            force_destroy=not protect,
            opts=pulumi.ResourceOptions(parent=self, protect=protect, retain_on_delete=protect),
        )
        options = pulumi.ResourceOptions(parent=bucket)
        child = f"{name}-{purpose}"
        aws.s3.BucketVersioning(
            child, bucket=bucket.bucket, versioning_configuration={"status": "Enabled"}, opts=options
        )
        aws.s3.BucketServerSideEncryptionConfiguration(
            child,
            bucket=bucket.bucket,
            rules=[{"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}],
            opts=options,
        )
        aws.s3.BucketOwnershipControls(
            child, bucket=bucket.bucket, rule={"object_ownership": "BucketOwnerEnforced"}, opts=options
        )
        private = aws.s3.BucketPublicAccessBlock(
            child,
            bucket=bucket.bucket,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=options,
        )
        aws.s3.BucketPolicy(
            child,
            bucket=bucket.bucket,
            policy=document(deny_plain_text("s3:*", bucket_arn(bucket.bucket), bucket_arn(bucket.bucket, "*"))),
            # S3 refuses to change both at the same time.
            opts=pulumi.ResourceOptions(parent=bucket, depends_on=[private]),
        )
        aws.s3.BucketLifecycleConfiguration(child, bucket=bucket.bucket, rules=_lifecycle(purpose, args), opts=options)
        return bucket


def _lifecycle(purpose: str, args: StorageArgs) -> list[aws.s3.BucketLifecycleConfigurationRuleArgsDict]:
    rules: list[aws.s3.BucketLifecycleConfigurationRuleArgsDict] = [
        {
            "id": "remove-what-nobody-sees",
            "status": "Enabled",
            "filter": {"prefix": ""},
            "noncurrent_version_expiration": {"noncurrent_days": args.get("noncurrent_days", 90)},
            "abort_incomplete_multipart_upload": {"days_after_initiation": 7},
            "expiration": {"expired_object_delete_marker": True},
        }
    ]
    if purpose == "artefacts":
        rules.append(
            {
                "id": "remove-query-results",
                "status": "Enabled",
                "filter": {"prefix": QUERY_RESULTS_PREFIX},
                "expiration": {"days": args.get("query_result_days", 30)},
            }
        )
    return rules
