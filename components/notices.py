"""Where people hear of the pipeline: a topic for good news and one for bad."""

from collections.abc import Sequence
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components.policies import (
    KEY_USE,
    Statement,
    allow_service,
    current_account,
    deny_plain_text,
    document,
    encryption_key,
)

_PUBLISHERS = {
    "cloudwatch.amazonaws.com": ("cloudwatch", "alarm:"),
    "events.amazonaws.com": ("events", "rule/"),
}
"""Services that publish failures, each with the service and the kind of the resources it does so for."""


class NoticesArgs(TypedDict):
    emails: NotRequired[Sequence[str]]
    """Addresses that get the failure notices; each has to confirm its subscription once."""


class Notices(pulumi.ComponentResource):
    """Two encrypted SNS topics. Alarms and event rules whose names begin with `<name>-` may publish failures."""

    success_topic_arn: pulumi.Output[str]
    """Topic that hears of every run without a fault."""

    failure_topic_arn: pulumi.Output[str]
    """Topic that hears of refused files, refused rows, failed runs and alarms."""

    key_arn: pulumi.Output[str]
    """Key of both topics: who publishes needs kms:Decrypt and kms:GenerateDataKey on it."""

    def __init__(self, name: str, args: NoticesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("retail:notices:Notices", name, {}, opts)
        account = current_account(self)
        # The AWS-managed key of SNS lets neither EventBridge nor CloudWatch publish, and can't be changed.
        key = encryption_key(
            f"{name}-notices",
            account,
            [_encrypt(service, account.arn("sns", f"{name}-failure")) for service in _PUBLISHERS],
            description=f"Encrypts the notices of {name}",
            parent=self,
        )
        success = self._topic(f"{name}-success", key, [])
        failure = self._topic(
            f"{name}-failure",
            key,
            [
                (service, account.arn(namespace, kind, f"{name}-*"))
                for service, (namespace, kind) in _PUBLISHERS.items()
            ],
        )
        for number, email in enumerate(args.get("emails", []), start=1):
            aws.sns.TopicSubscription(
                f"{name}-failure-{number}",
                topic=failure.arn,
                protocol="email",
                endpoint=email,
                opts=pulumi.ResourceOptions(parent=failure),
            )
        self.success_topic_arn, self.failure_topic_arn, self.key_arn = success.arn, failure.arn, key.arn
        self.register_outputs(
            {
                "success_topic_arn": self.success_topic_arn,
                "failure_topic_arn": self.failure_topic_arn,
                "key_arn": self.key_arn,
            }
        )

    def _topic(
        self, name: str, key: aws.kms.Key, publishers: Sequence[tuple[str, pulumi.Output[str]]]
    ) -> aws.sns.Topic:
        topic = aws.sns.Topic(name, name=name, kms_master_key_id=key.arn, opts=pulumi.ResourceOptions(parent=self))
        publish = [
            allow_service(service, ["sns:Publish"], topic.arn, {"ArnLike": {"aws:SourceArn": sources}})
            for service, sources in publishers
        ]
        aws.sns.TopicPolicy(
            name,
            arn=topic.arn,
            policy=document(deny_plain_text("sns:Publish", topic.arn), *publish),
            opts=pulumi.ResourceOptions(parent=topic),
        )
        return topic


def _encrypt(service: str, topic_arn: pulumi.Output[str]) -> Statement:
    # KMS isn't told the alarm or rule, only the topic: a condition on aws:SourceArn would silence them all.
    condition = {"StringEquals": {"kms:EncryptionContext:aws:sns:topicArn": topic_arn}}
    return allow_service(service, KEY_USE, "*", condition)
