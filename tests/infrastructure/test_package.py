"""The components are a Pulumi package: its schema changes only on purpose, and the package really hosts them.

After a wanted change write the snapshot anew, and read the difference before it is committed:

    UPDATE_SNAPSHOTS=1 pytest tests/infrastructure/test_package.py
"""

import inspect
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from concurrent import futures
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2, json_format
from pulumi.runtime.proto import (
    engine_pb2_grpc,
    provider_pb2,
    provider_pb2_grpc,
    resource_pb2,
    resource_pb2_grpc,
)

from components.packages import build_wheel, uv
from tests.infrastructure.recording import ACCOUNT, REGION, ROOT

PACKAGE = "retail-pipeline"
SNAPSHOT = Path(__file__).parent / "snapshots" / "package.json"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:shop"


_FEATURES = {"resourceReferences", "outputValues", "aliasSpecs"}


@dataclass
class _Engine(resource_pb2_grpc.ResourceMonitorServicer, engine_pb2_grpc.EngineServicer):
    """The engine's side: it notes what the package registers, and makes nothing."""

    address: str = ""
    registered: list[Any] = field(default_factory=list)

    def SupportsFeature(self, request: Any, context: Any) -> Any:  # noqa: N802
        return resource_pb2.SupportsFeatureResponse(hasSupport=request.id in _FEATURES)

    def Log(self, request: Any, context: Any) -> Any:  # noqa: N802
        return empty_pb2.Empty()

    def RegisterResource(self, request: Any, context: Any) -> Any:  # noqa: N802
        self.registered.append(request)
        urn = f"urn:pulumi:test::shop::{request.type}::{request.name}"
        return resource_pb2.RegisterResourceResponse(urn=urn, id=request.name, object=request.object)

    def RegisterResourceOutputs(self, request: Any, context: Any) -> Any:  # noqa: N802
        return empty_pb2.Empty()


@pytest.fixture(scope="module")
def engine() -> Iterator[_Engine]:
    engine = _Engine()
    server = grpc.server(futures.ThreadPoolExecutor())
    resource_pb2_grpc.add_ResourceMonitorServicer_to_server(engine, server)
    engine_pb2_grpc.add_EngineServicer_to_server(engine, server)
    engine.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    yield engine
    server.stop(None).wait()


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone of the repository, with the environment that the Pulumi CLI makes beside `PulumiPlugin.yaml`."""
    clone = tmp_path_factory.mktemp("clone")
    for name in ("components", "formats", "runtime"):
        shutil.copytree(ROOT / name, clone / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "uv.lock", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, clone)
    package = clone / "components"
    uv("venv", "--python", sys.executable, str(package / "venv"), problem="no environment")
    python, requirements = str(package / "venv" / "bin" / "python"), str(package / "requirements.txt")
    uv("pip", "install", "--python", python, "-r", requirements, problem="requirements.txt can't be installed")
    return clone


@pytest.fixture(scope="module")
def provider(engine: _Engine, clone: Path) -> Iterator[provider_pb2_grpc.ResourceProviderStub]:
    """The package, started as the Pulumi CLI starts it: its Python on its folder, which prints its port."""
    package = clone / "components"
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    process = subprocess.Popen(
        [package / "venv" / "bin" / "python", package, engine.address],
        stdout=subprocess.PIPE,
        text=True,
        cwd=package,
        env=environment,
    )
    assert process.stdout
    try:
        with grpc.insecure_channel(f"127.0.0.1:{int(process.stdout.readline())}") as channel:
            yield provider_pb2_grpc.ResourceProviderStub(channel)
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


@pytest.fixture(scope="module")
def schema(provider: provider_pb2_grpc.ResourceProviderStub) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(provider.GetSchema(provider_pb2.GetSchemaRequest()).schema)
    return schema


def test_the_schema_is_what_was_reviewed(schema: dict[str, Any]) -> None:
    text = json.dumps(schema, indent=1, sort_keys=True) + "\n"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        SNAPSHOT.write_text(text, encoding="utf-8")
    assert schema == json.loads(SNAPSHOT.read_text(encoding="utf-8"))


def test_the_environment_beside_the_package_is_not_shipped(clone: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(build_wheel(clone, tmp_path)) as wheel:
        assert [name for name in wheel.namelist() if "venv" in name] == []


def test_what_pulumi_installs_is_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = {*project["dependencies"], *project["optional-dependencies"]["infrastructure"]}
    installed = (ROOT / "components" / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert {line for line in installed if not line.startswith("#")} <= asked


def test_every_component_is_offered(schema: dict[str, Any]) -> None:
    code = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "components").glob("*.py"))
    components = re.findall(r"^class (\w+)\(pulumi\.ComponentResource\)", code, re.MULTILINE)
    assert set(schema["resources"]) == {f"{PACKAGE}:index:{component}" for component in components}


def test_every_property_is_described(schema: dict[str, Any]) -> None:
    described = [*schema["resources"].values(), *schema["types"].values()]
    properties = [
        (name, each)
        for part in described
        for key in ("properties", "inputProperties")
        for name, each in part.get(key, {}).items()
    ]
    assert properties
    assert [name for name, each in properties if not each.get("description")] == []


def test_a_component_is_made_for_a_program_in_another_language(
    provider: provider_pb2_grpc.ResourceProviderStub, engine: _Engine
) -> None:
    request = provider_pb2.ConstructRequest(
        project="shop",
        stack="test",
        name="shop",
        type=f"{PACKAGE}:index:Budget",
        monitorEndpoint=engine.address,
        organization="organization",
        parallel=1,
    )
    # Other languages know one kind of number only, so a whole one arrives as a float.
    json_format.ParseDict({"monthlyDollars": 50, "topicArns": [TOPIC]}, request.inputs)
    answer = provider.Construct(request, timeout=60)
    assert json_format.MessageToDict(answer.state)["budget"] == "shop-monthly"
    component, budget = engine.registered
    # The state has the type of the schema, and what was deployed under the type before is taken over.
    assert component.type == request.type
    assert [alias.spec.type for alias in component.aliases] == ["retail:budget:Budget"]
    inputs = json_format.MessageToDict(budget.object)
    assert inputs["limitAmount"] == "50"
    assert inputs["notifications"][0]["subscriberSnsTopicArns"] == [TOPIC]


def test_every_component_is_documented_with_its_arguments_and_outputs(schema: dict[str, Any]) -> None:
    """The reference is written from the schema, so from the docstrings; what stands before it is by hand."""
    document = (ROOT / "docs" / "components.md").read_text(encoding="utf-8")
    by_hand = document[: document.index("\n## ") + 1]
    if os.environ.get("UPDATE_SNAPSHOTS"):
        document = by_hand + _reference(schema)
        (ROOT / "docs" / "components.md").write_text(document, encoding="utf-8")
    assert document == by_hand + _reference(schema)


def _reference(schema: dict[str, Any]) -> str:
    sections = [
        f"## {token.rsplit(':', 1)[1]}\n\n{inspect.cleandoc(component['description'])}\n\n{_table(component)}"
        for token, component in sorted(schema["resources"].items())
    ]
    types = [
        f"### {token.rsplit(':', 1)[1]}\n\n"
        + _table({"inputProperties": type_["properties"], "requiredInputs": type_["required"]})
        for token, type_ in sorted(schema["types"].items())
    ]
    return "\n".join([*sections, "## Types of arguments\n", *types])


def _table(component: dict[str, Any]) -> str:
    required = component.get("requiredInputs", [])
    rows = [
        *(
            (name, "required" if name in required else "optional", each)
            for name, each in sorted(component["inputProperties"].items())
        ),
        *((name, "output", each) for name, each in sorted(component.get("properties", {}).items())),
    ]
    lines = [f"| `{name}` | {kind} | {_line(each)} |\n" for name, kind, each in rows]
    return "| name | | |\n|---|---|---|\n" + "".join(lines)


def _line(described: dict[str, Any]) -> str:
    type_ = described.get("items", described).get("$ref", "")
    text = re.sub(r"\s+", " ", described["description"])
    return f"{text} See {type_.rsplit(':', 1)[1]} below." if type_ else text
