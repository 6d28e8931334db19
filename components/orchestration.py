"""The way of an upload: queue, validator, state machine, job."""

from pathlib import Path

import pulumi

from components.arguments import refuse_unknown
from components.artefacts import Plugins, build_artefacts
from components.intake import upload_queues, upload_rule
from components.naming import once, type_token
from components.orchestration_args import OrchestrationArgs
from components.policies import current_account
from components.programs import Programs
from components.state_machine import state_machine
from components.transform_job import transform_job
from components.validator import HANDLING_SECONDS, validator


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
        refuse_unknown(name, args, OrchestrationArgs)
        super().__init__(type_token("Orchestration"), name, {}, once("retail:orchestration:Orchestration", opts))
        folder = args.get("plugin_folder")
        artefacts = build_artefacts(
            Path(args["contracts"]),
            args.get("lambda_platform", "arm64"),
            plugins=Plugins(args.get("format_plugins", []), Path(folder) if folder else None),
        )
        programs = Programs(name, args, current_account(self), self)
        job = transform_job(programs, artefacts)
        machine = state_machine(
            f"{name}-ingest",
            job=job,
            ledger_bucket=args["ledger_bucket"],
            success_topic_arn=args["success_topic_arn"],
            failure_topic_arn=args["failure_topic_arn"],
            notice_key_arns=programs.notice_keys(),
            data_key_arn=args.get("data_key_arn"),
            log_group=programs.log_group("ingest", f"/aws/vendedlogs/states/{name}-ingest"),
            parent=self,
        )
        queue, dead_letters = upload_queues(
            f"{name}-uploads",
            handling_seconds=HANDLING_SECONDS,
            window_seconds=args.get("batch_window_seconds", 0),
            parent=self,
        )
        rule = upload_rule(f"{name}-uploads", args["source_bucket"], queue, dead_letters, parent=self)
        function = validator(programs, artefacts, queue, machine)
        self.ingest_queue_url, self.ingest_queue = queue.url, queue.name
        self.dead_letter_queue_url, self.dead_letter_queue = dead_letters.url, dead_letters.name
        self.upload_rule = rule.name
        self.validator_function = function.name
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
