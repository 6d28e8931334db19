"""Rights taken away for as long as it takes to see what they were good for."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.cloud.conftest import Shop

Document = dict[str, Any]


@contextmanager
def _without(
    document: Document, put: Callable[[Document], object], unwanted: Callable[[Document], bool]
) -> Iterator[None]:
    """A policy without its one statement of a kind, for as long as it takes."""
    [found] = [statement for statement in document["Statement"] if unwanted(statement)]
    put({**document, "Statement": [statement for statement in document["Statement"] if statement != found]})
    try:
        yield
    finally:
        put(document)


def rights_of(shop: Shop, role: str) -> Document:
    """The policy of a role of the stack on this machine, such as `validator`."""
    iam, name = shop.cloud.client("iam"), f"retail-local-{role}"
    [policy] = iam.list_role_policies(RoleName=name)["PolicyNames"]
    return dict(iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"])


@contextmanager
def role_without(shop: Shop, role: str, action: str, resource: str) -> Iterator[None]:
    """A role without its one statement that allows an action on something with `resource` in its ARN.

    `key of data` is that key.
    """
    name = f"retail-local-{role}"

    def put(document: Document) -> None:
        shop.cloud.client("iam").put_role_policy(RoleName=name, PolicyName=name, PolicyDocument=json.dumps(document))

    where = _key(shop, resource.removeprefix("key of ")) if resource.startswith("key of ") else resource

    def unwanted(statement: Document) -> bool:
        return action in statement["Action"] and any(where in each for each in statement["Resource"])

    with _without(rights_of(shop, role), put, unwanted):
        yield


def _key(shop: Shop, purpose: str) -> str:
    kms = shop.cloud.client("kms")
    return str(kms.describe_key(KeyId=f"alias/retail-local-{purpose}")["KeyMetadata"]["Arn"])


def _policy(shop: Shop, kind: str, name: str) -> tuple[Document, Callable[[Document], object]]:
    """The policy of a queue, a topic or a key, and how to put another in its place."""
    aws = shop.cloud.client
    if kind == "queue":
        url = shop.cloud.exports[name]
        text = aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"]
        return json.loads(text), lambda document: aws("sqs").set_queue_attributes(
            QueueUrl=url, Attributes={"Policy": json.dumps(document)}
        )
    if kind == "topic":
        arn = shop.cloud.exports[name]
        text = aws("sns").get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"]
        return json.loads(text), lambda document: aws("sns").set_topic_attributes(
            TopicArn=arn, AttributeName="Policy", AttributeValue=json.dumps(document)
        )
    key = _key(shop, name)
    text = aws("kms").get_key_policy(KeyId=key, PolicyName="default")["Policy"]
    return json.loads(text), lambda document: aws("kms").put_key_policy(
        KeyId=key, PolicyName="default", Policy=json.dumps(document)
    )


@contextmanager
def service_shut_out(shop: Shop, kind: str, name: str, service: str) -> Iterator[None]:
    """A queue or topic (by the name of its export) or a key without the statement that lets an AWS service in."""

    def lets_in(statement: Document) -> bool:
        return bool(statement["Effect"] == "Allow" and statement["Principal"].get("Service") == service)

    document, put = _policy(shop, kind, name)
    with _without(document, put, lets_in):
        yield
