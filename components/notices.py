"""Where people hear of the pipeline: a topic for good news and one for bad."""

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components.arguments import refuse_unknown
from components.naming import once, type_token
from components.policies import (
    KEY_USE,
    Account,
    Statement,
    allow_service,
    current_account,
    deny_plain_text,
    document,
    encryption_key,
    from_account,
)

_ALARMS = "cloudwatch.amazonaws.com"
_BUDGETS = "budgets.amazonaws.com"

_Publishers = Mapping[str, Mapping[str, Any]]
"""The services that publish failures, each with the conditions on which it may do so."""


class NoticesArgs(TypedDict):
    emails: NotRequired[Sequence[str]]
    """Addresses that get the failure notices; each has to confirm its subscription once."""

    success_topic_arn: NotRequired[str | None]
    """A topic that is there already, for the notices of success. Default: make one."""

    failure_topic_arn: NotRequired[str | None]
    """A topic that is there already, for the notices of failure. Default: make one.

    It is left as it is: its policy, and its key's, have to let `cloudwatch.amazonaws.com` publish, and its
    subscribers are its owner's.
    """

    topic_key_arn: NotRequired[pulumi.Input[str] | None]
    """Key that the topics that are there already are encrypted with."""

    budgets: NotRequired[bool]
    """Let the account's budgets whose names begin with `<name>-` publish failures too. Default false."""


class Notices(pulumi.ComponentResource):
    """Two SNS topics, made and encrypted unless they are there already.

    Alarms whose names begin with `<name>-` may publish failures to the topic made here. Event rules do so by a role
    (see `Alerting`): the policy of a topic can't hold them to this account.
    """

    success_topic_arn: pulumi.Output[str]
    """Topic that hears of every run without a fault."""

    failure_topic_arn: pulumi.Output[str]
    """Topic that hears of refused files, refused rows, failed runs and alarms."""

    key_arns: pulumi.Output[Sequence[str]]
    """Keys of the topics: who publishes needs kms:Decrypt and kms:GenerateDataKey on them."""

    def __init__(self, name: str, args: NoticesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        refuse_unknown(name, args, NoticesArgs)
        super().__init__(type_token("Notices"), name, {}, once("retail:notices:Notices", opts))
        success, failure = args.get("success_topic_arn"), args.get("failure_topic_arn")
        keys = [args.get("topic_key_arn")]
        if not success or not failure:
            account = current_account(self)
            publishers = _publishers(name, account, budgets=args.get("budgets", False))
            key = self._key(name, account, publishers)
            keys.append(key.arn)
        self.success_topic_arn = (
            pulumi.Output.from_input(success) if success else self._topic(f"{name}-success", key, {}).arn
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

    def _key(self, name: str, account: Account, publishers: _Publishers) -> aws.kms.Key:
        # The AWS-managed key of SNS doesn't let CloudWatch publish, and can't be changed.
        return encryption_key(
            f"{name}-notices",
            account,
            [_encrypt(service, account, account.arn("sns", f"{name}-failure")) for service in publishers],
            description=f"Encrypts the notices of {name}",
            parent=self,
        )

    def _failure_topic(self, name: str, key: aws.kms.Key, publishers: _Publishers, args: NoticesArgs) -> aws.sns.Topic:
        topic = self._topic(f"{name}-failure", key, publishers)
        for number, email in enumerate(args.get("emails", []), start=1):
            aws.sns.TopicSubscription(
                f"{name}-failure-{number}",
                topic=topic.arn,
                protocol="email",
                endpoint=email,
                opts=pulumi.ResourceOptions(parent=topic),
            )
        return topic

    def _topic(self, name: str, key: aws.kms.Key, publishers: _Publishers) -> aws.sns.Topic:
        topic = aws.sns.Topic(name, name=name, kms_master_key_id=key.arn, opts=pulumi.ResourceOptions(parent=self))
        publish = [
            allow_service(service, ["sns:Publish"], topic.arn, conditions) for service, conditions in publishers.items()
        ]
        aws.sns.TopicPolicy(
            name,
            arn=topic.arn,
            policy=document(deny_plain_text("sns:Publish", topic.arn), *publish),
            opts=pulumi.ResourceOptions(parent=topic),
        )
        return topic


def _publishers(name: str, account: Account, *, budgets: bool) -> _Publishers:
    publishers = {_ALARMS: from_account(account, account.arn("cloudwatch", "alarm:", f"{name}-*"))}
    if budgets:
        # Budgets belong to no region (https://docs.aws.amazon.com/cost-management/latest/userguide/budgets-sns-policy.html).
        arns = pulumi.Output.concat("arn:aws:budgets::", account.id, f":budget/{name}-*")
        publishers[_BUDGETS] = from_account(account, arns)
    return publishers


def _encrypt(service: str, account: Account, topic_arn: pulumi.Output[str]) -> Statement:
    """https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html"""
    condition = {"aws:SourceAccount": account.id, "kms:EncryptionContext:aws:sns:topicArn": topic_arn}
    return allow_service(service, KEY_USE, "*", {"StringEquals": condition})
