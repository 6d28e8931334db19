"""The pipeline's notices in a Slack or Teams channel."""

from collections.abc import Sequence
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components.arguments import refuse_unknown
from components.naming import once, type_token
from components.policies import current_account, from_account, trusted

_DENY_ALL = "arn:aws:iam::aws:policy/AWSDenyAll"
"""What nobody can do from the channel: everything. Left out, the guardrail would be AdministratorAccess."""


class ChatSlack(TypedDict):
    workspace: pulumi.Input[str]
    """ID of the workspace, such as `T0123ABCDEF`."""

    channel: pulumi.Input[str]
    """ID of the channel, such as `C0123ABCDEF`."""


class ChatTeams(TypedDict):
    tenant: pulumi.Input[str]
    """UUID of the tenant."""

    team: pulumi.Input[str]
    """UUID of the team."""

    channel: pulumi.Input[str]
    """ID of the channel, such as `19%3a…%40thread.tacv2`."""


class ChatArgs(TypedDict):
    topic_arns: Sequence[pulumi.Input[str]]
    """Topics whose messages are shown."""

    slack: NotRequired[ChatSlack]
    """Slack channel that shows them."""

    teams: NotRequired[ChatTeams]
    """Teams channel that shows them."""


class Chat(pulumi.ComponentResource):
    """Shows topics in channels by Amazon Q Developer in chat applications (formerly AWS Chatbot).

    The workspace or tenant has to be authorised once in its console. Nobody can run commands from the channel.
    """

    role_arn: pulumi.Output[str]
    """Role of the channels, which may do nothing."""

    def __init__(self, name: str, args: ChatArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        refuse_unknown(name, args, ChatArgs)
        super().__init__(type_token("Chat"), name, {}, once("retail:chat:Chat", opts))
        slack, teams = args.get("slack"), args.get("teams")
        if not slack and not teams:
            raise ValueError(f"{name}: no channel to show notices in: give slack or teams")
        account = current_account(self)
        options = pulumi.ResourceOptions(parent=self)
        role = aws.iam.Role(
            f"{name}-chat",
            name=f"{name}-chat",
            description="Shows notices in a chat channel, and may do nothing else",
            assume_role_policy=trusted(
                "chatbot.amazonaws.com",
                from_account(account, pulumi.Output.concat("arn:aws:chatbot::", account.id, ":*")),
            ),
            opts=options,
        )
        if slack:
            aws.chatbot.SlackChannelConfiguration(
                f"{name}-slack",
                configuration_name=f"{name}-slack",
                slack_team_id=slack["workspace"],
                slack_channel_id=slack["channel"],
                iam_role_arn=role.arn,
                sns_topic_arns=args["topic_arns"],
                guardrail_policy_arns=[_DENY_ALL],
                logging_level="ERROR",
                user_authorization_required=True,
                opts=options,
            )
        if teams:
            aws.chatbot.TeamsChannelConfiguration(
                f"{name}-teams",
                configuration_name=f"{name}-teams",
                tenant_id=teams["tenant"],
                team_id=teams["team"],
                channel_id=teams["channel"],
                iam_role_arn=role.arn,
                sns_topic_arns=args["topic_arns"],
                guardrail_policy_arns=[_DENY_ALL],
                logging_level="ERROR",
                user_authorization_required=True,
                opts=options,
            )
        self.role_arn = role.arn
        self.register_outputs({"role_arn": self.role_arn})
