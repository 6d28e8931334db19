"""Runs a Pulumi program against a provider that creates nothing and records everything, or against an emulated AWS.

A run takes a process of its own, so this file is also the script of that process: it reads what to run as
JSON from its input and writes what it recorded as JSON to its output.
"""

import json
import os
import subprocess
import sys
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
ACCOUNT, REGION = "123456789012", "eu-west-1"

_PLACE = f"{REGION}:{ACCOUNT}"
_OUTPUTS: dict[str, dict[str, str]] = {
    "aws:athena/workgroup:Workgroup": {"id": "{name}", "arn": f"arn:aws:athena:{_PLACE}:workgroup/{{name}}"},
    "aws:cloudwatch/dashboard:Dashboard": {"id": "{dashboardName}"},
    "aws:cloudwatch/eventRule:EventRule": {"id": "{name}", "arn": f"arn:aws:events:{_PLACE}:rule/{{name}}"},
    "aws:cloudwatch/logGroup:LogGroup": {"id": "{name}", "arn": f"arn:aws:logs:{_PLACE}:log-group:{{name}}"},
    "aws:ec2/securityGroup:SecurityGroup": {"id": "sg-{hex}"},
    "aws:ec2/subnet:Subnet": {"id": "subnet-{hex}"},
    "aws:ec2/vpc:Vpc": {"id": "vpc-{hex}", "defaultRouteTableId": "rtb-{hex}"},
    "aws:ec2/vpcEndpoint:VpcEndpoint": {"id": "vpce-{hex}", "prefixListId": "pl-{hex}"},
    "aws:glue/catalogDatabase:CatalogDatabase": {"arn": f"arn:aws:glue:{_PLACE}:database/{{name}}"},
    "aws:glue/catalogTable:CatalogTable": {"arn": f"arn:aws:glue:{_PLACE}:table/{{databaseName}}/{{name}}"},
    "aws:glue/crawler:Crawler": {"id": "{name}", "arn": f"arn:aws:glue:{_PLACE}:crawler/{{name}}"},
    "aws:glue/job:Job": {"id": "{name}", "arn": f"arn:aws:glue:{_PLACE}:job/{{name}}"},
    "aws:glue/securityConfiguration:SecurityConfiguration": {"id": "{name}"},
    "aws:iam/role:Role": {"id": "{name}", "arn": f"arn:aws:iam::{ACCOUNT}:role/{{name}}"},
    "aws:kms/key:Key": {"id": "{uuid}", "keyId": "{uuid}", "arn": f"arn:aws:kms:{_PLACE}:key/{{uuid}}"},
    "aws:lambda/function:Function": {"id": "{name}", "arn": f"arn:aws:lambda:{_PLACE}:function:{{name}}"},
    "aws:quicksight/dataSource:DataSource": {"arn": f"arn:aws:quicksight:{_PLACE}:datasource/{{dataSourceId}}"},
    "aws:redshiftserverless/workgroup:Workgroup": {
        "id": "{workgroupName}",
        "arn": f"arn:aws:redshift-serverless:{_PLACE}:workgroup/{{uuid}}",
    },
    "aws:s3/bucket:Bucket": {"id": "{bucket}", "arn": "arn:aws:s3:::{bucket}"},
    "aws:sfn/stateMachine:StateMachine": {"arn": f"arn:aws:states:{_PLACE}:stateMachine:{{name}}"},
    "aws:sns/topic:Topic": {"arn": f"arn:aws:sns:{_PLACE}:{{name}}"},
    "aws:sqs/queue:Queue": {
        "url": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{{name}}",
        "arn": f"arn:aws:sqs:{_PLACE}:{{name}}",
    },
}
"""What AWS adds to a resource's inputs; a type that isn't here gets an id and no other output."""

_ANSWERS: dict[str, dict[str, Any]] = {
    "aws:index/getCallerIdentity:getCallerIdentity": {"accountId": ACCOUNT},
    "aws:index/getRegion:getRegion": {"region": REGION},
    "aws:index/getAvailabilityZones:getAvailabilityZones": {"names": [f"{REGION}{zone}" for zone in "abc"]},
}


@dataclass(frozen=True)
class Recorded:
    """A resource of a recorded run."""

    urn: str
    type: str
    name: str
    inputs: dict[str, Any]
    id: str
    outputs: dict[str, Any]
    parent: str
    custom: bool
    protect: bool
    retain_on_delete: bool
    dependencies: list[str]


@dataclass(frozen=True)
class Recording:
    """A recorded run: its resources, its exports, and when it failed, how."""

    resources: list[Recorded]
    exports: dict[str, Any]
    created: list[str]
    error: str

    def of_type(self, type_: str) -> list[Recorded]:
        """The resources of a type such as `aws:s3/bucket:Bucket`."""
        return [resource for resource in self.resources if resource.type == type_]

    def one(self, type_: str, name: str) -> Recorded:
        """The resource of this type whose name ends so."""
        (found,) = [resource for resource in self.of_type(type_) if resource.name.endswith(name)]
        return found


def record(
    program: Path, stack: str, config: dict[str, str], without_outputs: str = "", endpoint: str = ""
) -> Recording:
    """Runs a program; resources of the type `without_outputs` get an id and nothing else.

    With the endpoint of an emulated AWS its resources are created there, or where `elsewhere` has them.
    """
    request = {
        "program": str(program),
        "stack": stack,
        "config": config,
        "without_outputs": without_outputs,
        "endpoint": endpoint,
    }
    run = subprocess.run(
        [sys.executable, __file__],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
    )
    if run.returncode:
        raise AssertionError(f"the recording process failed:\n{run.stderr}")
    answer = json.loads(run.stdout.splitlines()[-1])
    return Recording(**{**answer, "resources": [Recorded(**resource) for resource in answer["resources"]]})


class RecordingProvider:
    """Gives every resource a plausible id and plausible outputs."""

    def __init__(self, without_outputs: str) -> None:
        self.without_outputs = without_outputs
        self.created: list[str] = []

    def create(self, type_: str, name: str, inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        self.created.append(f"{type_} {name}")
        digest = uuid.uuid5(uuid.NAMESPACE_URL, f"{type_} {name}")
        facts = {"uuid": digest, "hex": digest.hex[:17], **inputs}
        templates = {} if type_ == self.without_outputs else _OUTPUTS.get(type_, {})
        outputs = {key: template.format(**facts) for key, template in templates.items()}
        id_ = outputs.pop("id", outputs.get("url", outputs.get("arn", name)))
        return id_, outputs

    def invoke(self, token: str, arguments: dict[str, Any]) -> dict[str, Any]:
        return {"id": token, **_ANSWERS[token]}


def _main() -> None:
    from emulator.program import run_program

    request = json.load(sys.stdin)
    recorder = RecordingProvider(request["without_outputs"])
    answer: dict[str, Any] = {"resources": [], "exports": {}, "error": ""}
    try:
        deployment = run_program(
            Path(request["program"]),
            project="retail-pipeline",
            stack=request["stack"],
            config=request["config"],
            provider=_creator(request["endpoint"]) if request["endpoint"] else recorder,
        )
    except Exception as error:  # noqa: BLE001 (whatever it is, it is the answer)
        answer["error"] = f"{type(error).__name__}: {error}"
    else:
        answer["resources"] = [asdict(resource) for resource in deployment.resources]
        answer["exports"] = deployment.exports
    answer["created"] = recorder.created
    sys.stdout.write("\n" + json.dumps(answer, default=_asset))


def _creator(endpoint: str) -> Any:
    # moto changes all AWS clients that are made after it: this process's alone.
    from emulator.resources import AwsProvider
    from tests.infrastructure.elsewhere import elsewhere

    return AwsProvider(endpoint, elsewhere())


def _asset(value: Any) -> dict[str, str]:
    return {"file": Path(value.path).name}


if __name__ == "__main__":
    _main()
