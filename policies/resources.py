"""What the controls are written with: one resource or all of a stack in, complaints out."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)

Properties = Mapping[str, Any]

BLOCKS_ALL_PUBLIC_ACCESS = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")


def of_resource(
    control: str,
    title: str,
    types: Iterable[str],
    is_held: Callable[[Properties], bool],
    level: EnforcementLevel | None = None,
) -> Policy:
    """A control that each resource of these types, such as `sqs/queue:Queue`, holds by itself."""
    wanted = {f"aws:{type_}" for type_ in types}

    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        if args.resource_type in wanted and not is_held(args.props):
            report(f"[{control}] {args.name}: {title}", None)

    return ResourceValidationPolicy(name(control), title, validate, level)


def of_stack(
    control: str,
    title: str,
    type_: str,
    is_held: Callable[[PolicyResource, "Stack"], bool],
    level: EnforcementLevel | None = None,
) -> Policy:
    """A control that a resource holds by others beside it."""

    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        stack = Stack(args.resources)
        for resource in stack.of_type(type_):
            if not is_held(resource, stack):
                report(f"[{control}] {resource.name}: {title}", resource.urn)

    return StackValidationPolicy(name(control), title, validate, level)


def name(control: str) -> str:
    """A control's name as a policy's: `S3.1` becomes `s3-1`."""
    return control.lower().replace(".", "-")


class Stack:
    """All resources of a stack."""

    def __init__(self, resources: Iterable[PolicyResource]) -> None:
        self._resources = list(resources)

    def of_type(self, type_: str) -> Iterator[PolicyResource]:
        """The resources of a type."""
        return (resource for resource in self._resources if resource.resource_type == f"aws:{type_}")

    def with_property(self, type_: str, key: str, value: object) -> list[Properties]:
        """The properties of the resources of a type that have this value at this key."""
        return [resource.props for resource in self.of_type(type_) if resource.props.get(key) == value]

    def of_bucket(self, kind: str, bucket: PolicyResource) -> list[Properties]:
        """The properties of what configures a bucket in some way, such as `BucketLogging`."""
        return self.with_property(f"s3/{kind[0].lower()}{kind[1:]}:{kind}", "bucket", bucket.props["bucket"])


def statements(properties: Properties, *keys: str) -> list[Properties]:
    """The statements of the policy documents at these keys."""
    documents = (json.loads(properties[key]) for key in keys if properties.get(key))
    return [statement for document in documents for statement in listed(document["Statement"])]


def listed(value: Any) -> list[Any]:
    """A list of what may stand alone in a policy document."""
    return value if isinstance(value, list) else [value]


def lets_everybody_in(properties: Properties) -> bool:
    """Whether a resource's policy allows something to all the world, without a condition."""
    return any(
        statement["Effect"] == "Allow"
        and "Condition" not in statement
        and (statement["Principal"] == "*" or "*" in listed(statement["Principal"].get("AWS", [])))
        for statement in statements(properties, "policy")
    )


def refuses_plain_text(properties: Properties) -> bool:
    """Whether a resource's policy denies all that isn't encrypted in transit."""
    return any(
        statement["Effect"] == "Deny"
        and statement.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}
        and statement["Principal"] in ("*", {"AWS": "*"})
        for statement in statements(properties, "policy")
    )


def allows(properties: Properties, wanted: Callable[[str], bool], resource: str | None = None) -> bool:
    """Whether a role's policy allows such an action, on everything or on this pattern of resources."""
    return any(
        statement["Effect"] == "Allow"
        and any(wanted(action) for action in listed(statement["Action"]))
        and (resource is None or resource in listed(statement["Resource"]))
        for statement in statements(properties, "policy")
    )
