"""The Lambda function that looks at the heads of uploads."""

import pulumi
import pulumi_aws as aws

from components.artefacts import LAMBDA_PYTHON, Artefacts
from components.policies import KEY_USE, allow, bucket_arn, service_role
from components.programs import Programs

HANDLING_SECONDS = 60
"""How long it may take for a batch."""


def validator(
    programs: Programs, artefacts: Artefacts, queue: aws.sqs.Queue, machine: aws.sfn.StateMachine
) -> aws.lambda_.Function:
    """The function with its role and its log, fed from the queue."""
    name, args = f"{programs.name}-validator", programs.args
    log_group = programs.log_group("validator", f"/aws/lambda/{name}")
    role = service_role(
        name,
        "lambda.amazonaws.com",
        [
            allow(["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"], queue.arn),
            allow(["s3:GetObject", "s3:GetObjectVersion"], bucket_arn(args["source_bucket"], "*")),
            allow(["s3:GetObject", "s3:PutObject"], bucket_arn(args["ledger_bucket"], "objects/*")),
            programs.tell_missing_from_forbidden(),
            allow(["states:StartExecution"], machine.arn),
            allow(["states:DescribeExecution"], programs.account.arn("states", "execution:", machine.name, ":*")),
            allow(["sns:Publish"], args["failure_topic_arn"]),
            allow(KEY_USE, *programs.notice_keys()),
            *programs.use_data_keys(),
            programs.write_logs(log_group),
        ],
        description="Reads the heads of uploads, records refusals, starts the state machine",
        parent=programs.parent,
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
        timeout=HANDLING_SECONDS,
        s3_bucket=args["artefact_bucket"],
        s3_key=programs.artefact("validator", artefacts.validator_package),
        environment={
            "variables": {
                "STATE_MACHINE_ARN": machine.arn,
                "LEDGER_BUCKET": args["ledger_bucket"],
                "FAILURE_TOPIC_ARN": args["failure_topic_arn"],
            }
        },
        logging_config={"log_format": "JSON", "log_group": log_group.name},
        opts=pulumi.ResourceOptions(parent=programs.parent, depends_on=[role.policy]),
    )
    aws.lambda_.EventSourceMapping(
        name,
        event_source_arn=queue.arn,
        function_name=function.arn,
        batch_size=args.get("batch_size", 10),
        maximum_batching_window_in_seconds=args.get("batch_window_seconds", 0),
        function_response_types=["ReportBatchItemFailures"],
        scaling_config={"maximum_concurrency": args.get("validator_concurrency", 10)},
        opts=programs.options,
    )
    return function
