"""What we ask of AWS is what AWS knows: names, enums, patterns, bounds, policies, the state machine."""

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.infrastructure.cloudformation import NOT_IN_CLOUDFORMATION, NoCounterpartError, findings, translate
from tests.infrastructure.recording import Recorded, Recording


def test_all_resources_keep_the_schemas_of_aws(deployment: Recording) -> None:
    assert findings(deployment.resources) == []


def _set(*path: str, to: Any) -> Callable[[dict[str, Any]], None]:
    def change(inputs: dict[str, Any]) -> None:
        *steps, last = path
        for step in steps:
            inputs = inputs[step]
        inputs[last] = to

    return change


def _set_in_json(key: str, *path: Any, to: Any) -> Callable[[dict[str, Any]], None]:
    def change(inputs: dict[str, Any]) -> None:
        document = json.loads(inputs[key])
        _set(*path, to=to)(document)
        inputs[key] = json.dumps(document)

    return change


@pytest.mark.parametrize(
    ("type_", "name", "fault", "rule"),
    [
        ("aws:cloudwatch/metricAlarm:MetricAlarm", "drift", _set("comparisonOperator", to="Above"), "E3030"),
        ("aws:lambda/function:Function", "validator", _set("memorySize", to=64), "E3034"),
        ("aws:lambda/function:Function", "validator", _set("runtime", to="python3.99"), "E"),
        ("aws:glue/job:Job", "transform", _set("glueVersion", to="latest"), "E"),
        ("aws:kms/alias:Alias", "notices", _set("name", to="notices"), "E3031"),
        (
            "aws:sfn/stateMachine:StateMachine",
            "ingest",
            _set_in_json("definition", "StartAt", to="Nowhere"),
            "E3601",
        ),
        (
            "aws:sfn/stateMachine:StateMachine",
            "ingest",
            _set_in_json("definition", "States", "Transform", "Type", to="Tusk"),
            "E3601",
        ),
        (
            "aws:iam/rolePolicy:RolePolicy",
            "validator",
            _set_in_json("policy", "Statement", 0, "Action", to=["sqs:RecieveMessage"]),
            "W3037",
        ),
        (
            "aws:iam/rolePolicy:RolePolicy",
            "validator",
            _set_in_json("policy", "Statement", 0, "Effect", to="Permit"),
            "E3510",
        ),
        (
            "aws:iam/role:Role",
            "validator",
            _set_in_json("assumeRolePolicy", "Statement", 0, "Action", to="sts:AssumeRoll"),
            "W3037",
        ),
    ],
)
def test_a_fault_would_be_found(
    everything: Recording, type_: str, name: str, fault: Callable[[dict[str, Any]], None], rule: str
) -> None:
    resource = copy.deepcopy(everything.one(type_, name))
    assert findings([resource]) == []
    fault(resource.inputs)
    found = findings([resource])
    assert any(line.startswith(rule) for line in found), found


NAMES_OF_OUR_OWN = {
    "aws:cloudwatch/metricAlarm:MetricAlarm": "dimensions",
    "aws:glue/catalogTable:CatalogTable": "parameters",
    "aws:glue/job:Job": "defaultArguments",
    "aws:lambda/function:Function": "variables",
}
"""Maps whose keys AWS leaves to its user; what they are for is tried in the emulated cloud."""


def test_every_property_is_looked_up_by_its_name(everything: Recording) -> None:
    """At any depth: written with another letter it is an error."""
    resources = {
        resource.type: resource
        for resource in everything.resources
        if resource.custom and resource.type not in NOT_IN_CLOUDFORMATION
    }
    unnoticed = [
        (type_, *path)
        for type_, resource in resources.items()
        for path in _paths(resource.inputs)
        if NAMES_OF_OUR_OWN.get(type_) not in path[:-1] and not _noticed(resource, path)
    ]
    assert unnoticed == []


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where properties are; of a list its first item stands for all."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield (*path, name)
            yield from _paths(item, (*path, name))
    elif isinstance(value, list) and value:
        yield from _paths(value[0], (*path, 0))


def _noticed(resource: Recorded, path: tuple[Any, ...]) -> bool:
    misspelt = copy.deepcopy(resource)
    parent: Any = misspelt.inputs
    for step in path[:-1]:
        parent = parent[step]
    parent[f"{path[-1]}X"] = parent.pop(path[-1])
    try:
        translate(misspelt)
    except NoCounterpartError as error:
        return f"{path[-1]}X" in str(error)
    return False
