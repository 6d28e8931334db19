"""KMS: who reads or writes what a key encrypts needs the right to use the key.

Sources: Amazon S3 User Guide, "Using server-side encryption with AWS KMS keys"; Amazon SNS Developer Guide, "Key
management" (a publisher, be it a role or an AWS service, needs both rights).
"""

from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.services import kms, s3, sns

_KEY_HEADER = "x-amz-server-side-encryption-aws-kms-key-id"
_PUBLISHING = ("kms:GenerateDataKey", "kms:Decrypt")


def uses(action: str, resource_arn: str) -> list[tuple[str, str]]:
    """The actions on keys, each with the key's ARN, that an action on a resource comes with."""
    key: str | None
    if action == "sns:Publish":
        key = key_of_topic(resource_arn)
        return [(needed, key) for needed in _PUBLISHING] if key else []
    bucket, _, object_key = resource_arn.removeprefix("arn:aws:s3:::").partition("/")
    if action == "s3:PutObject":
        key = s3._bucket_default_sse_headers(bucket).get(_KEY_HEADER)
        return [("kms:GenerateDataKey", key)] if key else []
    if action in ("s3:GetObject", "s3:GetObjectVersion"):
        stored = (s3._buckets.get(bucket) or {"objects": {}})["objects"].get(object_key)
        key = s3._stored_sse_headers(stored).get(_KEY_HEADER) if stored else None
        return [("kms:Decrypt", key)] if key else []
    return []


def key_of_topic(topic_arn: str) -> str:
    """The ARN of the key that a topic is encrypted with, or an empty text."""
    topic = sns._topic_by_arn_any_scope(topic_arn) or {}
    return str(topic.get("attributes", {}).get("KmsMasterKeyId") or "")


def lets_publish(topic_arn: str, service: str) -> bool:
    """Whether the key of a topic, if it has one, lets an AWS service encrypt for it."""
    key = key_of_topic(topic_arn)
    found: Any = kms.key_policy_for_arn(key) if key else None
    return found is None or all(_lets(found[0], service, action, topic_arn) for action in _PUBLISHING)


def _lets(policy: str, service: str, action: str, topic_arn: str) -> bool:
    context = iam_evaluator.EvalContext(
        principal_arn="*",
        principal_type="Service",
        principal_account="",
        action=action,
        resource_arn="*",
        region=get_region(),
        service_context={
            "kms:encryptioncontext:aws:sns:topicarn": topic_arn,
            "aws:sourceaccount": get_account_id(),
        },
    )
    return bool(iam_evaluator.evaluate_resource_policy(policy, context, service=service).decision == "Allow")
