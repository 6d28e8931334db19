"""What an orchestration is told."""

from collections.abc import Sequence
from typing import NotRequired, TypedDict

import pulumi


class OrchestrationArgs(TypedDict):
    contracts: str
    """Folder of the contracts, which are shipped with the programs."""

    source_bucket: pulumi.Input[str]
    """Name of the bucket that shops upload to; it has to tell EventBridge of its objects."""

    processed_bucket: pulumi.Input[str]
    """Name of the bucket of accepted rows."""

    quarantine_bucket: pulumi.Input[str]
    """Name of the bucket of refused rows."""

    ledger_bucket: pulumi.Input[str]
    """Name of the ledger's bucket."""

    artefact_bucket: pulumi.Input[str]
    """Name of the bucket that programs are deployed from."""

    database: pulumi.Input[str]
    """Name of the Glue database whose tables get the partitions."""

    success_topic_arn: pulumi.Input[str]
    """Topic that hears of every run without a fault."""

    failure_topic_arn: pulumi.Input[str]
    """Topic that hears of refused files, refused rows and failed runs."""

    notice_key_arns: NotRequired[pulumi.Input[Sequence[str]]]
    """Keys that the topics are encrypted with. Default none."""

    data_key_arn: NotRequired[pulumi.Input[str | None]]
    """Key that the buckets are encrypted with. Default: S3's own keys."""

    source_key_arn: NotRequired[pulumi.Input[str | None]]
    """Key that uploads are encrypted with, where it is another."""

    format_plugins: NotRequired[Sequence[str]]
    """Packages with more formats: requirements, or paths of wheels or of packages' folders. Default none."""

    plugin_folder: NotRequired[str | None]
    """Folder of modules with more formats, which need no package that isn't shipped already. Default none."""

    lambda_platform: NotRequired[str]
    """What the validator is built for: `arm64`, the default, or `host` for an emulator on this machine."""

    batch_size: NotRequired[pulumi.Input[int]]
    """Most uploads that the validator gets at once, up to 10000. Default 10."""

    batch_window_seconds: NotRequired[pulumi.Input[int]]
    """How long uploads may wait for others to share a batch with, up to 300. Default 0."""

    validator_concurrency: NotRequired[pulumi.Input[int]]
    """Most validators at work at once, from 2. Default 10."""

    worker_type: NotRequired[pulumi.Input[str]]
    """Size of the job's workers. Default G.1X."""

    workers: NotRequired[pulumi.Input[int]]
    """Workers of one run of the job, from 2. Default 2."""

    concurrent_runs: NotRequired[pulumi.Input[int]]
    """Most runs of the job at once; more are queued. Default 10."""

    job_timeout_minutes: NotRequired[pulumi.Input[int]]
    """Minutes after which a run of the job is stopped. Default 60."""

    log_retention_days: NotRequired[pulumi.Input[int]]
    """Days that logs are kept. Default 90."""
