"""What the pipeline's two programs, the validator and the job, have in common: where they come from, rights, logs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pulumi
import pulumi_aws as aws

from components.artefacts import object_key
from components.orchestration_args import OrchestrationArgs
from components.policies import KEY_USE, Account, Resource, Statement, allow, bucket_arn


@dataclass(frozen=True)
class Programs:
    """Deploys what the programs need, for an orchestration of this name."""

    name: str
    args: OrchestrationArgs
    account: Account
    parent: pulumi.Resource

    @property
    def options(self) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self.parent)

    def artefact(self, kind: str, file: Path, child: str = "") -> pulumi.Output[str]:
        """Uploads a file; returns its key."""
        uploaded = aws.s3.BucketObjectv2(
            f"{self.name}-{child or kind}",
            bucket=self.args["artefact_bucket"],
            key=object_key(kind, file),
            source=pulumi.FileAsset(file),
            opts=self.options,
        )
        return uploaded.key

    def log_group(self, child: str, group: str) -> aws.cloudwatch.LogGroup:
        return aws.cloudwatch.LogGroup(
            f"{self.name}-{child}",
            name=group,
            retention_in_days=self.args.get("log_retention_days", 90),
            opts=self.options,
        )

    def write_logs(self, *groups: aws.cloudwatch.LogGroup) -> Statement:
        streams = [pulumi.Output.concat(group.arn, ":*") for group in groups]
        return allow(["logs:CreateLogStream", "logs:PutLogEvents"], *streams)

    def notice_keys(self) -> Sequence[Resource]:
        return [self.args.get("notice_key_arns", [])]

    def use_data_keys(self) -> list[Statement]:
        """Read what is encrypted with a key of the user's, and encrypt with the lake's."""
        data, source = self.args.get("data_key_arn"), self.args.get("source_key_arn")
        return [allow(KEY_USE, data), allow(["kms:Decrypt"], source)]

    def tell_missing_from_forbidden(self) -> Statement:
        """Without the right to list, S3 calls a record that isn't there yet forbidden
        (https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html). A condition on the prefix
        would take the right away again: such a request names no prefix.
        """
        return allow(["s3:ListBucket"], bucket_arn(self.args["ledger_bucket"]))
