"""The Glue job that turns uploads into the lake's rows."""

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from components.artefacts import Artefacts
from components.policies import ServiceRole, allow, bucket_arn, service_role
from components.programs import Programs

_GLUE_VERSION = "6.0"


def transform_job(programs: Programs, artefacts: Artefacts) -> aws.glue.Job:
    """The job with its role and its logs."""
    name, args = f"{programs.name}-transform", programs.args
    # Glue writes to <prefix>/error and <prefix>/output
    # (https://docs.aws.amazon.com/glue/latest/dg/monitor-continuous-logging.html).
    log_prefix = f"/aws-glue/jobs/{name}"
    logs = [programs.log_group(f"transform-{kind}", f"{log_prefix}/{kind}") for kind in ("error", "output")]
    uri = pulumi.Output.concat("s3://", args["artefact_bucket"], "/")
    role = _role(name, programs, logs)
    return aws.glue.Job(
        name,
        name=name,
        description="Turns uploads into checked, partitioned Parquet",
        role_arn=role.role.arn,
        glue_version=_GLUE_VERSION,
        command={
            "name": "glueetl",
            "python_version": "3",
            "script_location": pulumi.Output.concat(uri, programs.artefact("job", artefacts.job_script)),
        },
        default_arguments={
            "--additional-python-modules": _wheels(uri, programs, artefacts),
            # All that the job needs besides these comes with Glue: nothing is fetched from outside.
            "--python-modules-installer-option": "--no-deps --no-index",
            "--custom-logGroup-prefix": log_prefix,
            "--contracts": pulumi.Output.concat(uri, programs.artefact("contracts", artefacts.contracts)),
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
        opts=pulumi.ResourceOptions(parent=programs.parent, depends_on=[role.policy]),
    )


def _wheels(uri: pulumi.Output[str], programs: Programs, artefacts: Artefacts) -> pulumi.Output[str]:
    own, *others = artefacts.wheels
    keys = [programs.artefact("wheel", own)]
    # Named after their packages, so that another version takes the place of the one before.
    keys += [programs.artefact("wheel", wheel, f"wheel-{wheel.name.split('-')[0]}") for wheel in others]
    return pulumi.Output.all(uri, *keys).apply(lambda parts: ",".join(parts[0] + key for key in parts[1:]))


def _role(name: str, programs: Programs, logs: Sequence[aws.cloudwatch.LogGroup]) -> ServiceRole:
    args, catalogue = programs.args, programs.account
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
            programs.tell_missing_from_forbidden(),
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
            *programs.use_data_keys(),
            programs.write_logs(*logs),
        ],
        description="Reads uploads, writes the lake and the ledger, registers partitions",
        parent=programs.parent,
    )
