"""The policy pack: what we deploy passes every control, and each control would find its fault."""

import copy
import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from pulumi_policy import (
    EnforcementLevel,
    PolicyResource,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)

from policies.controls import CONTROLS
from policies.resources import name
from tests.infrastructure.recording import ROOT, Recorded, Recording

WANTED = {
    "S3": [1, 2, 3, 5, 8, 9, 12, 13, 17],
    "Lambda": [1, 2],
    "Glue": [3, 4],
    "Athena": [4],
    "StepFunctions": [1],
    "SNS": [4],
    "SQS": [1, 3],
    "KMS": [1, 2, 3, 4, 5],
    "RedshiftServerless": [1, 2, 3, 5, 6],
    "IAM": [1, 21],
    "EC2": [2, 6],
}
NAMES = [f"{service}.{number}" for service, numbers in WANTED.items() for number in numbers]


def _complaints(resources: list[Recorded], *, advisory: bool = True) -> set[str]:
    """The names of the controls that complain of these resources, with the resources' names."""
    found: set[str] = set()
    given = _given(resources)

    def report(message: str, _urn: str | None = None) -> None:
        found.add(message)

    for policy in CONTROLS:
        if policy.enforcement_level == EnforcementLevel.ADVISORY and not advisory:
            continue
        if isinstance(policy, StackValidationPolicy):
            policy.validate(StackValidationArgs(given), report)
        else:
            for one in given:
                args = ResourceValidationArgs(one.resource_type, one.props, one.urn, one.name, one.opts, None)
                checked = cast(ResourceValidationPolicy, policy)
                checked.validate(args, report)
    return {message.partition(": ")[0] for message in found}


def _given(resources: list[Recorded]) -> list[PolicyResource]:
    """The resources as the engine hands them to a pack."""
    given = {
        each.urn: PolicyResource(
            each.type, each.inputs, each.urn, each.name, cast(Any, None), None, None, cast(Any, []), {}
        )
        for each in resources
    }
    for each in resources:
        given[each.urn].parent = given.get(each.parent)
    return list(given.values())


def test_the_pack_has_the_controls_that_are_wanted() -> None:
    assert [policy.name for policy in CONTROLS] == [name(control) for control in NAMES]


def test_what_is_deployed_passes_every_control(deployment: Recording) -> None:
    assert _complaints(deployment.resources, advisory=False) == set()


def test_with_a_key_only_the_access_log_lacks_one(everything: Recording) -> None:
    assert _complaints(everything.resources) == {"[S3.17] shops-of-the-north-east-access-logs"}


def _set(**inputs: Any) -> Callable[[Recorded], None]:
    return lambda resource: resource.inputs.update(inputs)


def _policy(**statement: Any) -> Callable[[Recorded], None]:
    full = {"Effect": "Allow", "Principal": "*", "Action": ["a:B"], "Resource": ["*"], **statement}
    return _set(policy=json.dumps({"Statement": [full]}))


def _drop(resource: Recorded) -> None:
    resource.inputs["bucket"] = "another"


FAULTS: list[tuple[str, str, str, Callable[[Recorded], None]]] = [
    ("S3.1", "s3/bucketPublicAccessBlock:BucketPublicAccessBlock", "-source", _set(blockPublicPolicy=False)),
    ("S3.2", "s3/bucketPublicAccessBlock:BucketPublicAccessBlock", "-source", _drop),
    ("S3.3", "s3/bucketPublicAccessBlock:BucketPublicAccessBlock", "-ledger", _set(ignorePublicAcls=False)),
    ("S3.5", "s3/bucketPolicy:BucketPolicy", "-source", _drop),
    ("S3.8", "s3/bucketPublicAccessBlock:BucketPublicAccessBlock", "-source", _set(restrictPublicBuckets=False)),
    ("S3.9", "s3/bucketLogging:BucketLogging", "-source", _drop),
    (
        "S3.12",
        "s3/bucketOwnershipControls:BucketOwnershipControls",
        "-source",
        _set(rule={"objectOwnership": "ObjectWriter"}),
    ),
    ("S3.13", "s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration", "-source", _drop),
    ("S3.17", "s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration", "-source", _drop),
    ("Lambda.2", "lambda/function:Function", "-validator", _set(runtime="python3.8")),
    ("Glue.4", "glue/job:Job", "-transform", _set(glueVersion="2.0")),
    ("Athena.4", "athena/workgroup:Workgroup", "", _set(configuration={"publishCloudwatchMetricsEnabled": False})),
    ("StepFunctions.1", "sfn/stateMachine:StateMachine", "-ingest", _set(loggingConfiguration={"level": "OFF"})),
    ("SNS.4", "sns/topicPolicy:TopicPolicy", "-failure", _policy()),
    ("SQS.1", "sqs/queue:Queue", "-dead", _set(sqsManagedSseEnabled=False)),
    ("SQS.3", "sqs/queuePolicy:QueuePolicy", "-dead", _policy(Principal={"AWS": ["*"]})),
    ("KMS.2", "iam/rolePolicy:RolePolicy", "-validator", _policy(Action="kms:Decrypt", Resource="*")),
    ("KMS.3", "kms/key:Key", "-data", _set(deletionWindowInDays=7)),
    ("KMS.4", "kms/key:Key", "-data", _set(enableKeyRotation=False)),
    ("KMS.5", "kms/key:Key", "-data", _policy()),
    ("RedshiftServerless.1", "redshiftserverless/workgroup:Workgroup", "", _set(enhancedVpcRouting=False)),
    ("RedshiftServerless.2", "redshiftserverless/workgroup:Workgroup", "", _set(configParameters=[])),
    ("RedshiftServerless.3", "redshiftserverless/workgroup:Workgroup", "", _set(publiclyAccessible=True)),
    ("RedshiftServerless.5", "redshiftserverless/namespace:Namespace", "", _set(adminUsername="admin")),
    ("RedshiftServerless.6", "redshiftserverless/namespace:Namespace", "", _set(logExports=["userlog"])),
    ("IAM.1", "iam/rolePolicy:RolePolicy", "-validator", _policy(Action="*")),
    ("IAM.21", "iam/rolePolicy:RolePolicy", "-validator", _policy(Action="s3:*")),
    ("EC2.2", "ec2/defaultSecurityGroup:DefaultSecurityGroup", "", _set(ingress=[{"protocol": "-1"}])),
]
OF_NOTHING_DEPLOYED = [
    ("Lambda.1", "lambda/permission:Permission", {"principal": "*"}),
    ("Glue.3", "glue/mLTransform:MLTransform", {}),
    (
        "KMS.1",
        "iam/policy:Policy",
        {"policy": '{"Statement": {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}}'},
    ),
]
"""Controls on what the components don't make, and another program might."""


@pytest.mark.parametrize(("control", "type_", "ending", "fault"), FAULTS, ids=[fault[0] for fault in FAULTS])
def test_a_control_finds_its_fault(
    everything: Recording, control: str, type_: str, ending: str, fault: Callable[[Recorded], None]
) -> None:
    resources = copy.deepcopy(everything.resources)
    found = [each for each in resources if each.type == f"aws:{type_}" and each.name.endswith(ending)]
    fault(found[0])
    assert f"[{control}]" in {complaint.split()[0] for complaint in _complaints(resources)}


@pytest.mark.parametrize(("control", "type_", "inputs"), OF_NOTHING_DEPLOYED)
def test_a_control_finds_faults_of_other_programs(
    everything: Recording, control: str, type_: str, inputs: dict[str, Any]
) -> None:
    foreign = copy.deepcopy(everything.resources[0])
    object.__setattr__(foreign, "type", f"aws:{type_}")
    object.__setattr__(foreign, "inputs", inputs)
    assert f"[{control}] {foreign.name}" in _complaints([foreign])


def test_a_network_without_a_flow_log_is_found(everything: Recording) -> None:
    resources = [each for each in everything.resources if each.type != "aws:ec2/flowLog:FlowLog"]
    assert {complaint.split()[0] for complaint in _complaints(resources)} == {"[EC2.6]", "[S3.17]"}


def test_every_control_is_shown_to_find_its_fault() -> None:
    shown = {fault[0] for fault in FAULTS} | {case[0] for case in OF_NOTHING_DEPLOYED} | {"EC2.6"}
    assert shown == set(NAMES)


def test_the_pack_is_described_for_the_command_line() -> None:
    pack = yaml.safe_load((ROOT / "policies" / "PulumiPolicy.yaml").read_text(encoding="utf-8"))
    assert pack["runtime"]["name"] == "python"
    assert (ROOT / "policies" / pack["runtime"]["options"]["virtualenv"]).resolve() == ROOT / ".venv"
    assert Path(ROOT, "policies", "__main__.py").is_file()


OUT_OF_DATE = [{"action": "states:DescribeExecution", "required_format": "arn:*:states:*:*:express:*:*:*"}]
"""parliament knows this action for express workflows only; the Service Authorization Reference names executions."""


def test_parliament_finds_nothing_in_any_policy(deployment: Recording) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it leans on pkg_resources
        from parliament import analyze_policy_string
    findings: list[str] = []
    for resource in deployment.of_type("aws:iam/rolePolicy:RolePolicy"):
        analysis = analyze_policy_string(resource.inputs["policy"])
        findings += [f"{resource.name}: {found}" for found in analysis.findings if found.detail != OUT_OF_DATE]
    assert findings == []
