"""The way of an upload: queue, validator, state machine, job."""

from collections.abc import Sequence
from pathlib import Path
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components.artefacts import LAMBDA_PYTHON, Artefacts, build_artefacts, object_key
from components.intake import upload_queues, upload_rule
from components.naming import once, type_token
from components.policies import (
    KEY_USE,
    Resource,
    ServiceRole,
    Statement,
    allow,
    bucket_arn,
    current_account,
    service_role,
)
from components.state_machine import state_machine

_VALIDATOR_SECONDS = 60
_GLUE_VERSION = "6.0"


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


class Orchestration(pulumi.ComponentResource):
    """Takes every upload from the source bucket to the lake, and tells what came of it.

    EventBridge hands each upload to a queue, where nothing gets lost; the validator reads the heads of the
    files, refuses what no contract claims, and starts the state machine for the rest; the job transforms.
    What fails again and again waits in the dead-letter queue.
    """

    ingest_queue_url: pulumi.Output[str]
    """Queue of the uploads that wait for the validator."""

    ingest_queue: pulumi.Output[str]
    """Name of that queue."""

    dead_letter_queue_url: pulumi.Output[str]
    """Queue of the events that couldn't be delivered or handled."""

    dead_letter_queue: pulumi.Output[str]
    """Name of that queue."""

    upload_rule: pulumi.Output[str]
    """Name of the EventBridge rule that uploads come through."""

    validator_function: pulumi.Output[str]
    """Name of the Lambda function that validates uploads."""

    glue_job: pulumi.Output[str]
    """Name of the Glue job that transforms them."""

    state_machine_arn: pulumi.Output[str]
    """The state machine, one execution a batch."""

    def __init__(self, name: str, args: OrchestrationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(type_token("Orchestration"), name, {}, once("retail:orchestration:Orchestration", opts))
        self._name, self._args, self._account = name, args, current_account(self)
        self._options = pulumi.ResourceOptions(parent=self)
        artefacts = build_artefacts(
            Path(args["contracts"]), args.get("lambda_platform", "arm64"), plugins=args.get("format_plugins", [])
        )
        job = self._job(artefacts)
        machine = state_machine(
            f"{name}-ingest",
            job=job,
            ledger_bucket=args["ledger_bucket"],
            success_topic_arn=args["success_topic_arn"],
            failure_topic_arn=args["failure_topic_arn"],
            notice_key_arns=self._notice_keys(),
            data_key_arn=args.get("data_key_arn"),
            log_group=self._log_group("ingest", f"/aws/vendedlogs/states/{name}-ingest"),
            parent=self,
        )
        queue, dead_letters = upload_queues(
            f"{name}-uploads",
            handling_seconds=_VALIDATOR_SECONDS,
            window_seconds=args.get("batch_window_seconds", 0),
            parent=self,
        )
        rule = upload_rule(f"{name}-uploads", args["source_bucket"], queue, dead_letters, parent=self)
        validator = self._validator(artefacts, queue, machine)
        self.ingest_queue_url, self.ingest_queue = queue.url, queue.name
        self.dead_letter_queue_url, self.dead_letter_queue = dead_letters.url, dead_letters.name
        self.upload_rule = rule.name
        self.validator_function = validator.name
        self.glue_job = job.name
        self.state_machine_arn = machine.arn
        self.register_outputs(
            {
                "ingest_queue_url": self.ingest_queue_url,
                "ingest_queue": self.ingest_queue,
                "dead_letter_queue_url": self.dead_letter_queue_url,
                "dead_letter_queue": self.dead_letter_queue,
                "upload_rule": self.upload_rule,
                "validator_function": self.validator_function,
                "glue_job": self.glue_job,
                "state_machine_arn": self.state_machine_arn,
            }
        )

    def _artefact(self, kind: str, file: Path, child: str = "") -> pulumi.Output[str]:
        """Uploads a file; returns its key."""
        uploaded = aws.s3.BucketObjectv2(
            f"{self._name}-{child or kind}",
            bucket=self._args["artefact_bucket"],
            key=object_key(kind, file),
            source=pulumi.FileAsset(file),
            opts=self._options,
        )
        return uploaded.key

    def _log_group(self, child: str, group: str) -> aws.cloudwatch.LogGroup:
        return aws.cloudwatch.LogGroup(
            f"{self._name}-{child}",
            name=group,
            retention_in_days=self._args.get("log_retention_days", 90),
            opts=self._options,
        )

    def _write_logs(self, *groups: aws.cloudwatch.LogGroup) -> Statement:
        streams = [pulumi.Output.concat(group.arn, ":*") for group in groups]
        return allow(["logs:CreateLogStream", "logs:PutLogEvents"], *streams)

    def _notice_keys(self) -> Sequence[Resource]:
        return [self._args.get("notice_key_arns", [])]

    def _use_data_keys(self) -> list[Statement]:
        """Read what is encrypted with a key of the user's, and encrypt with the lake's."""
        data, source = self._args.get("data_key_arn"), self._args.get("source_key_arn")
        return [allow(KEY_USE, data), allow(["kms:Decrypt"], source)]

    def _tell_missing_from_forbidden(self) -> Statement:
        """Without the right to list, S3 calls a record that isn't there yet forbidden
        (https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html). A condition on the prefix
        would take the right away again: such a request names no prefix.
        """
        return allow(["s3:ListBucket"], bucket_arn(self._args["ledger_bucket"]))

    def _job(self, artefacts: Artefacts) -> aws.glue.Job:
        name, args = f"{self._name}-transform", self._args
        # Glue writes to <prefix>/error and <prefix>/output
        # (https://docs.aws.amazon.com/glue/latest/dg/monitor-continuous-logging.html).
        log_prefix = f"/aws-glue/jobs/{name}"
        logs = [self._log_group(f"transform-{kind}", f"{log_prefix}/{kind}") for kind in ("error", "output")]
        uri = pulumi.Output.concat("s3://", args["artefact_bucket"], "/")
        role = self._job_role(name, logs)
        return aws.glue.Job(
            name,
            name=name,
            description="Turns uploads into checked, partitioned Parquet",
            role_arn=role.role.arn,
            glue_version=_GLUE_VERSION,
            command={
                "name": "glueetl",
                "python_version": "3",
                "script_location": pulumi.Output.concat(uri, self._artefact("job", artefacts.job_script)),
            },
            default_arguments={
                "--additional-python-modules": self._wheels(uri, artefacts),
                # All that the job needs besides these comes with Glue: nothing is fetched from outside.
                "--python-modules-installer-option": "--no-deps --no-index",
                "--custom-logGroup-prefix": log_prefix,
                "--contracts": pulumi.Output.concat(uri, self._artefact("contracts", artefacts.contracts)),
                "--processed_bucket": args["processed_bucket"],
                "--quarantine_bucket": args["quarantine_bucket"],
                "--ledger_bucket": args["ledger_bucket"],
                "--database": args["database"],
            },
            worker_type=args.get("worker_type", "G.1X"),
            number_of_workers=args.get("workers", 2),
            execution_property={"max_concurrent_runs": args.get("concurrent_runs", 10)},
            job_run_queuing_enabled=True,
            timeout=args.get("job_timeout_minutes", 60),
            # The state machine watches one run: it wouldn't see a second attempt that Glue makes by itself.
            max_retries=0,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[role.policy]),
        )

    def _wheels(self, uri: pulumi.Output[str], artefacts: Artefacts) -> pulumi.Output[str]:
        own, *others = artefacts.wheels
        keys = [self._artefact("wheel", own)]
        # Named after their packages, so that another version takes the place of the one before.
        keys += [self._artefact("wheel", wheel, f"wheel-{wheel.name.split('-')[0]}") for wheel in others]
        return pulumi.Output.all(uri, *keys).apply(lambda parts: ",".join(parts[0] + key for key in parts[1:]))

    def _job_role(self, name: str, logs: Sequence[aws.cloudwatch.LogGroup]) -> ServiceRole:
        args, catalogue = self._args, self._account
        lake = [args["processed_bucket"], args["quarantine_bucket"]]
        return service_role(
            name,
            "glue.amazonaws.com",
            [
                allow(["s3:GetObject", "s3:GetObjectVersion"], bucket_arn(args["source_bucket"], "*")),
                # A large file is put in parts, and given up when one of them fails.
                allow(
                    ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:PutObject"],
                    *(bucket_arn(bucket, "*") for bucket in lake),
                ),
                allow(
                    ["s3:GetObject", "s3:PutObject"],
                    *(bucket_arn(args["ledger_bucket"], f"{kind}/*") for kind in ("objects", "runs")),
                ),
                self._tell_missing_from_forbidden(),
                allow(
                    ["s3:GetObject"],
                    *(bucket_arn(args["artefact_bucket"], f"{kind}/*") for kind in ("contracts", "job", "wheel")),
                ),
                allow(
                    ["glue:BatchCreatePartition"],
                    catalogue.arn("glue", "catalog"),
                    catalogue.arn("glue", "database/", args["database"]),
                    catalogue.arn("glue", "table/", args["database"], "/*"),
                ),
                *self._use_data_keys(),
                self._write_logs(*logs),
            ],
            description="Reads uploads, writes the lake and the ledger, registers partitions",
            parent=self,
        )

    def _validator(
        self, artefacts: Artefacts, queue: aws.sqs.Queue, machine: aws.sfn.StateMachine
    ) -> aws.lambda_.Function:
        name, args = f"{self._name}-validator", self._args
        log_group = self._log_group("validator", f"/aws/lambda/{name}")
        role = service_role(
            name,
            "lambda.amazonaws.com",
            [
                allow(["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"], queue.arn),
                allow(["s3:GetObject", "s3:GetObjectVersion"], bucket_arn(args["source_bucket"], "*")),
                allow(["s3:GetObject", "s3:PutObject"], bucket_arn(args["ledger_bucket"], "objects/*")),
                self._tell_missing_from_forbidden(),
                allow(["states:StartExecution"], machine.arn),
                allow(["states:DescribeExecution"], self._account.arn("states", "execution:", machine.name, ":*")),
                allow(["sns:Publish"], args["failure_topic_arn"]),
                allow(KEY_USE, *self._notice_keys()),
                *self._use_data_keys(),
                self._write_logs(log_group),
            ],
            description="Reads the heads of uploads, records refusals, starts the state machine",
            parent=self,
        )
        function = aws.lambda_.Function(
            name,
            name=name,
            description="Refuses uploads that no contract claims or fits, starts the transform for the rest",
            role=role.role.arn,
            runtime=f"python{LAMBDA_PYTHON}",
            architectures=["arm64"],
            handler="runtime.file_validator.handler",
            memory_size=512,
            timeout=_VALIDATOR_SECONDS,
            s3_bucket=args["artefact_bucket"],
            s3_key=self._artefact("validator", artefacts.validator_package),
            environment={
                "variables": {
                    "STATE_MACHINE_ARN": machine.arn,
                    "LEDGER_BUCKET": args["ledger_bucket"],
                    "FAILURE_TOPIC_ARN": args["failure_topic_arn"],
                }
            },
            logging_config={"log_format": "JSON", "log_group": log_group.name},
            opts=pulumi.ResourceOptions(parent=self, depends_on=[role.policy]),
        )
        aws.lambda_.EventSourceMapping(
            name,
            event_source_arn=queue.arn,
            function_name=function.arn,
            batch_size=args.get("batch_size", 10),
            maximum_batching_window_in_seconds=args.get("batch_window_seconds", 0),
            function_response_types=["ReportBatchItemFailures"],
            scaling_config={"maximum_concurrency": args.get("validator_concurrency", 10)},
            opts=self._options,
        )
        return function
