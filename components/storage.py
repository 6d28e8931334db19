"""The pipeline's buckets."""

from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components.arguments import refuse_unknown
from components.bucket import Encryption, expire, forget, private_bucket
from components.naming import once, type_token
from components.policies import Account, allow_service, bucket_arn, current_account, encryption_key

QUERY_RESULTS_PREFIX = "athena-results/"
"""Where in the artefact bucket Athena leaves its results, which nobody needs for long."""


class StorageArgs(TypedDict):
    protect: NotRequired[bool]
    """Keep the buckets and all they hold when the stack is destroyed. Default true."""

    noncurrent_days: NotRequired[pulumi.Input[int]]
    """Days after which an overwritten or deleted object's old version is removed for good. Default 90."""

    query_result_days: NotRequired[pulumi.Input[int]]
    """Days after which a query's result is removed. Default 30."""

    access_log_days: NotRequired[pulumi.Input[int]]
    """Days after which a record of who reached the buckets is removed. Default 90."""

    kms_key_arn: NotRequired[pulumi.Input[str] | None]
    """Key to encrypt with, in the buckets' region. Default: S3's own keys."""

    create_kms_key: NotRequired[bool]
    """Make a key to encrypt with. Default false."""

    source_bucket: NotRequired[str | None]
    """Name of a versioned bucket that is there already, to take uploads from. Default: make one."""

    source_bucket_events: NotRequired[bool]
    """Have that bucket tell EventBridge of its objects, in place of all notifications it has. Default false."""


class Storage(pulumi.ComponentResource):
    """Buckets for uploads, accepted rows, refused rows, the ledger, deployed programs, and the access logs of these.

    Each is private, encrypted, versioned, reached by TLS only, and named
    `<name>-<purpose>-<account>-<region>`, so that no two accounts or regions compete for a name.
    The source bucket tells EventBridge of every object; one that was there before does so only when asked.
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

    access_log_bucket: pulumi.Output[str]
    """Name of the bucket that records who reached the other buckets."""

    kms_key_arn: pulumi.Output[str | None]
    """Key that the buckets encrypt with; none where S3's own keys are used."""

    def __init__(self, name: str, args: StorageArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        refuse_unknown(name, args, StorageArgs)
        super().__init__(type_token("Storage"), name, {}, once("retail:storage:Storage", opts))
        account = current_account(self)
        key = args.get("kms_key_arn")
        if args.get("create_kms_key", False):
            key = encryption_key(
                f"{name}-data",
                account,
                [],
                description=f"Encrypts the data of {name}",
                parent=self,
                protect=args.get("protect", True),
                # Buckets may keep data of this key after another one has taken its place.
                retain=True,
            ).arn
        buckets = _Buckets(self, name, args, account, Encryption(key))
        existing = args.get("source_bucket")
        self.source_bucket = pulumi.Output.from_input(existing) if existing else buckets.make("source")
        if not existing or args.get("source_bucket_events", False):
            aws.s3.BucketNotification(
                f"{name}-source",
                bucket=self.source_bucket,
                eventbridge=True,
                # As the rest of the bucket's configuration.
                opts=pulumi.ResourceOptions(parent=self, protect=not existing and args.get("protect", True)),
            )
        self.processed_bucket = buckets.make("processed")
        self.quarantine_bucket = buckets.make("quarantine")
        self.ledger_bucket = buckets.make("ledger")
        self.artefact_bucket = buckets.make("artefacts")
        self.access_log_bucket = buckets.log.bucket
        self.kms_key_arn = pulumi.Output.from_input(key)
        self.register_outputs(
            {
                "source_bucket": self.source_bucket,
                "processed_bucket": self.processed_bucket,
                "quarantine_bucket": self.quarantine_bucket,
                "ledger_bucket": self.ledger_bucket,
                "artefact_bucket": self.artefact_bucket,
                "access_log_bucket": self.access_log_bucket,
                "kms_key_arn": self.kms_key_arn,
            }
        )


class _Buckets:
    """Makes the buckets, each of which has its access logged in one more."""

    def __init__(
        self, parent: pulumi.Resource, name: str, args: StorageArgs, account: Account, encryption: Encryption
    ) -> None:
        self._parent, self._name, self._args = parent, name, args
        self._account, self._encryption = account, encryption
        self.log = self._log_bucket()

    def _log_bucket(self) -> aws.s3.Bucket:
        """S3 delivers access logs to buckets with S3's own keys only, and the log of the log would have no end
        (https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html)."""
        name, account = f"{self._name}-access-logs", self._account
        logged = bucket_arn(pulumi.Output.concat(f"{self._name}-*-", account.id, "-", account.region))
        delivery = allow_service(
            "logging.s3.amazonaws.com",
            ["s3:PutObject"],
            bucket_arn(pulumi.Output.concat(f"{name}-", account.id, "-", account.region), "*"),
            {"ArnLike": {"aws:SourceArn": logged}, "StringEquals": {"aws:SourceAccount": account.id}},
        )
        return private_bucket(
            name,
            account,
            protect=self._args.get("protect", True),
            encryption=Encryption(None),
            lifecycle=[forget(1), expire("remove-old-records", "", self._args.get("access_log_days", 90))],
            statements=[delivery],
            parent=self._parent,
        )

    def make(self, purpose: str) -> pulumi.Output[str]:
        """The name of a bucket made for a purpose."""
        rules = [forget(self._args.get("noncurrent_days", 90))]
        if purpose == "artefacts":
            days = self._args.get("query_result_days", 30)
            rules.append(expire("remove-query-results", QUERY_RESULTS_PREFIX, days))
        bucket = private_bucket(
            f"{self._name}-{purpose}",
            self._account,
            protect=self._args.get("protect", True),
            encryption=self._encryption,
            lifecycle=rules,
            parent=self._parent,
        )
        aws.s3.BucketLogging(
            f"{self._name}-{purpose}",
            bucket=bucket.bucket,
            target_bucket=self.log.bucket,
            target_prefix=f"{purpose}/",
            opts=pulumi.ResourceOptions(parent=bucket),
        )
        return bucket.bucket
