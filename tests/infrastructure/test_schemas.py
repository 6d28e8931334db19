"""What we ask of AWS is what AWS knows: names, enums, patterns, bounds, policies, the state machine."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.infrastructure.cloudformation import NoCounterpartError, findings
from tests.infrastructure.recording import Recording


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


def test_a_property_without_a_counterpart_is_an_error(everything: Recording) -> None:
    resource = copy.deepcopy(everything.one("aws:glue/job:Job", "transform"))
    resource.inputs["wurkers"] = 2
    with pytest.raises(NoCounterpartError, match="wurkers"):
        findings([resource])
