"""EventBridge: events that AWS services send, and the rights without which a rule's target gets none.

Sources: EventBridge User Guide, "Using resource-based policies", "Using dead-letter queues": an event that may not
be delivered isn't tried again, it goes to the target's dead-letter queue, whose policy has to allow it too.
"""

import json
from typing import Any

from ministack.core.responses import get_account_id
from ministack.services import cloudwatch, eventbridge, sns, sqs

from emulator.gaps import keys

_SERVICE = "events.amazonaws.com"


def fill() -> None:
    """Makes rules heed the policies of queues, of topics and of the topics' keys."""
    invoke = eventbridge._invoke_target

    def invoke_if_allowed(
        target: dict[str, Any], event: dict[str, Any], rule: dict[str, Any], view: Any = None
    ) -> None:
        if may_deliver(_SERVICE, rule["Arn"], target["Arn"]):
            invoke(target, event, rule, view)
            return
        cloudwatch.record_metric("AWS/Events", "FailedInvocations", 1, "Count", {"RuleName": rule["Name"]})
        dead_letters = target.get("DeadLetterConfig", {}).get("Arn")
        if dead_letters and may_deliver(_SERVICE, rule["Arn"], dead_letters):
            invoke({"Id": target["Id"], "Arn": dead_letters}, event, rule, view)

    eventbridge._invoke_target = invoke_if_allowed


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
