"""EventBridge: events that AWS services send, and the rights without which a rule's target gets none.

Sources: EventBridge User Guide, "Using resource-based policies": a target with a role is sent to as that role, one
without by its own policy. "Using dead-letter queues": an event that may not be delivered isn't tried again, it goes
to the target's dead-letter queue, whose policy has to allow it too.
"""

import json
from typing import Any

from ministack.core.responses import get_account_id
from ministack.services import cloudwatch, eventbridge, sns, sqs

from emulator.gaps import keys, roles

_SERVICE = "events.amazonaws.com"
_SENDING = {
    "lambda": "lambda:InvokeFunction",
    "sns": "sns:Publish",
    "sqs": "sqs:SendMessage",
    "states": "states:StartExecution",
}
"""What a target's role needs, by the service of the target."""


def fill() -> None:
    """Makes rules heed the rights of their targets' roles, or the policies of queues, of topics and of their keys."""
    invoke = eventbridge._invoke_target

    def invoke_if_allowed(
        target: dict[str, Any], event: dict[str, Any], rule: dict[str, Any], view: Any = None
    ) -> None:
        if _may_invoke(target, rule):
            invoke(target, event, rule, view)
            return
        cloudwatch.record_metric("AWS/Events", "FailedInvocations", 1, "Count", {"RuleName": rule["Name"]})
        dead_letters = target.get("DeadLetterConfig", {}).get("Arn")
        if dead_letters and may_deliver(_SERVICE, rule["Arn"], dead_letters):
            invoke({"Id": target["Id"], "Arn": dead_letters}, event, rule, view)

    eventbridge._invoke_target = invoke_if_allowed


def _may_invoke(target: dict[str, Any], rule: dict[str, Any]) -> bool:
    role = target.get("RoleArn")
    if not role:
        return may_deliver(_SERVICE, rule["Arn"], target["Arn"])
    try:
        credentials = roles.assume(role, _SERVICE, rule["Name"], source_arn=rule["Arn"])
    except roles.RoleError:
        return False
    action = _SENDING.get(target["Arn"].split(":")[2])
    return action is not None and roles.may(credentials, action, target["Arn"])


def may_deliver(service: str, source_arn: str, target_arn: str) -> bool:
    """Whether the policies of a queue or a topic let an AWS service send to it for this source."""
    if ":sqs:" in target_arn:
        return bool(sqs.queue_policy_allows(target_arn, service, source_arn, get_account_id()))
    if ":sns:" in target_arn:
        allowed = sns.topic_policy_allows(target_arn, service, source_arn, get_account_id())
        return bool(allowed) and keys.lets_publish(target_arn, service)
    return True


def emit(source: str, detail_type: str, detail: dict[str, Any], resources: list[str] | None = None) -> None:
    """Sends an event as the AWS service would."""
    entry = {
        "Source": source,
        "DetailType": detail_type,
        "Detail": json.dumps(detail),
        "Resources": resources or [],
    }
    eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)
