"""The statements of all policies that a program deploys."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from tests.infrastructure.recording import Recording

RESOURCE_POLICIES = {
    "aws:kms/key:Key",
    "aws:s3/bucketPolicy:BucketPolicy",
    "aws:sns/topicPolicy:TopicPolicy",
    "aws:sqs/queuePolicy:QueuePolicy",
}


class Statement(NamedTuple):
    holder: str
    type: str
    effect: str
    actions: list[str]
    resources: list[str]
    content: dict[str, Any]


def _list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def statements(deployment: Recording) -> Iterator[Statement]:
    for resource in deployment.resources:
        for key in ("policy", "assumeRolePolicy"):
            if key in resource.inputs:
                for statement in json.loads(resource.inputs[key])["Statement"]:
                    yield Statement(
                        resource.name,
                        resource.type,
                        statement["Effect"],
                        _list(statement["Action"]),
                        _list(statement.get("Resource", [])),
                        statement,
                    )


def allowed(deployment: Recording, *types: str) -> list[Statement]:
    """The statements that allow something, of resources of these types; there have to be some."""
    found = [each for each in statements(deployment) if each.effect == "Allow" and each.type in types]
    assert found
    return found
