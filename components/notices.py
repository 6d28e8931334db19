"""Where people hear of the pipeline: a topic for good news and one for bad."""

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components.policies import (
    KEY_USE,
    Account,
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

_BUDGETS = "budgets.amazonaws.com"


class NoticesArgs(TypedDict):
    emails: NotRequired[Sequence[str]]
    """Addresses that get the failure notices; each has to confirm its subscription once."""

    success_topic_arn: NotRequired[str | None]
    """A topic that is there already, for the notices of success. Default: make one."""

    failure_topic_arn: NotRequired[str | None]
    """A topic that is there already, for the notices of failure. Default: make one.

    It is left as it is: its policy, and its key's, have to let `events.amazonaws.com` and
    `cloudwatch.amazonaws.com` publish, and its subscribers are its owner's.
    """

    topic_key_arn: NotRequired[pulumi.Input[str] | None]
    """Key that the topics that are there already are encrypted with."""

    budgets: NotRequired[bool]
    """Let the account's budgets whose names begin with `<name>-` publish failures too. Default false."""


class Notices(pulumi.ComponentResource):
    """Two SNS topics, made and encrypted unless they are there already.

    Alarms and event rules whose names begin with `<name>-` may publish failures to the topic made here.
    """

    success_topic_arn: pulumi.Output[str]
    """Topic that hears of every run without a fault."""

    failure_topic_arn: pulumi.Output[str]
    """Topic that hears of refused files, refused rows, failed runs and alarms."""

    key_arns: pulumi.Output[Sequence[str]]
    """Keys of the topics: who publishes needs kms:Decrypt and kms:GenerateDataKey on them."""

    def __init__(self, name: str, args: NoticesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("retail:notices:Notices", name, {}, opts)
        success, failure = args.get("success_topic_arn"), args.get("failure_topic_arn")
        keys = [args.get("topic_key_arn")]
        if not success or not failure:
            account = current_account(self)
            publishers = _publishers(name, account, budgets=args.get("budgets", False))
            key = self._key(name, account, publishers)
            keys.append(key.arn)
        self.success_topic_arn = (
            pulumi.Output.from_input(success) if success else self._topic(f"{name}-success", key, []).arn
        )
        self.failure_topic_arn = (
            pulumi.Output.from_input(failure) if failure else self._failure_topic(name, key, publishers, args).arn
        )
        self.key_arns = pulumi.Output.all(*keys).apply(lambda arns: [arn for arn in arns if arn])
        self.register_outputs(
            {
                "success_topic_arn": self.success_topic_arn,
                "failure_topic_arn": self.failure_topic_arn,
                "key_arns": self.key_arns,
            }
        )

    def _key(self, name: str, account: Account, publishers: Mapping[str, pulumi.Output[str]]) -> aws.kms.Key:
        # The AWS-managed key of SNS lets neither EventBridge nor CloudWatch publish, and can't be changed.
        return encryption_key(
            f"{name}-notices",
            account,
            [_encrypt(service, account.arn("sns", f"{name}-failure")) for service in publishers],
            description=f"Encrypts the notices of {name}",
            parent=self,
        )

    def _failure_topic(
        self, name: str, key: aws.kms.Key, publishers: Mapping[str, pulumi.Output[str]], args: NoticesArgs
    ) -> aws.sns.Topic:
        topic = self._topic(f"{name}-failure", key, list(publishers.items()))
        for number, email in enumerate(args.get("emails", []), start=1):
            aws.sns.TopicSubscription(
                f"{name}-failure-{number}",
                topic=topic.arn,
                protocol="email",
                endpoint=email,
                opts=pulumi.ResourceOptions(parent=topic),
            )
        return topic

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


def _publishers(name: str, account: Account, *, budgets: bool) -> Mapping[str, pulumi.Output[str]]:
    """The services that publish failures, each with the resources that it may do so for."""
    publishers = {
        service: account.arn(namespace, kind, f"{name}-*") for service, (namespace, kind) in _PUBLISHERS.items()
    }
    if budgets:
        # Budgets belong to no region.
        publishers[_BUDGETS] = pulumi.Output.concat("arn:aws:budgets::", account.id, f":budget/{name}-*")
    return publishers


def _encrypt(service: str, topic_arn: pulumi.Output[str]) -> Statement:
    # KMS isn't told the alarm or rule, only the topic: a condition on aws:SourceArn would silence them all.
    condition = {"StringEquals": {"kms:EncryptionContext:aws:sns:topicArn": topic_arn}}
    return allow_service(service, KEY_USE, "*", condition)
