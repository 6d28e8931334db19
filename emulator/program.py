"""Runs a Pulumi Python program without the Pulumi CLI, against any provider of resources.

The program runs unchanged; the engine is played by an in-process resource monitor that hands each
resource to a `Provider`. What the real engine would refuse and a plain test double would not is an error
here too: two resources of one URN, an Output put into a string, an output that the provider never supplied.
"""

import asyncio
import contextlib
import json
import os
import runpy
import sys
import threading
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pulumi
import yaml
from pulumi import _types
from pulumi.runtime import mocks, rpc, set_all_config, settings
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.stack import run_in_stack
from pulumi.runtime.sync_await import _sync_await
from pulumi.type_token import get_type_token

_STACK_TYPE = "pulumi:pulumi:Stack"
_MISSING = "<output never supplied by the provider: "


class ProgramError(Exception):
    """The program can't be run, or did something that the Pulumi engine would refuse."""


class Provider(Protocol):
    """What stands in for the cloud. Calls come from several threads."""

    def create(self, type_: str, name: str, inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """Creates a resource; returns its id and its outputs, which are laid over its inputs.

        Names within inputs are Pulumi's camelCase, secrets are unwrapped, whole numbers are `int`, and
        files are `pulumi.FileAsset`, `pulumi.FileArchive` and the like.
        """
        ...

    def invoke(self, token: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Answers a provider function such as `aws:index/getCallerIdentity:getCallerIdentity`."""
        ...


@dataclass(frozen=True)
class Resource:
    """A resource as the program registered it; components have `custom` false and no id."""

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
    dependencies: tuple[str, ...]


@dataclass(frozen=True)
class Deployment:
    """All resources in the order of their creation, and what the stack exports."""

    resources: tuple[Resource, ...]
    exports: dict[str, Any]


def stack_config(folder: Path, stack: str) -> dict[str, str]:
    """The configuration in `Pulumi.<stack>.yaml`, as the CLI would hand it over: structures are JSON text.

    Raises ProgramError when a value is encrypted: only the CLI can decrypt it.
    """
    path = folder / f"Pulumi.{stack}.yaml"
    config = yaml.safe_load(path.read_text(encoding="utf-8")).get("config", {})
    for key, value in config.items():
        if isinstance(value, dict) and "secure" in value:
            raise ProgramError(f"{path}: {key} is encrypted and can't be read without the Pulumi CLI")
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}


def run_program(
    program: Path,
    *,
    project: str,
    stack: str,
    config: Mapping[str, str],
    secrets: Collection[str] = (),
    provider: Provider,
) -> Deployment:
    """Runs the program file to its end, creating every resource through the provider.

    `config` has full keys ("retail-pipeline:contracts", "aws:region"); `secrets` names the secret ones.
    The Pulumi SDK keeps state for the whole process, so a process can run one program, once.
    An error of the program or of the provider is raised as it is, with a note naming the resource.
    """
    global _has_run
    if _has_run:
        raise ProgramError("this process has run a Pulumi program already: start a new process for each run")
    _has_run = True
    os.environ["PULUMI_ERROR_OUTPUT_STRING"] = "1"
    monitor = _Monitor(provider)

    def run() -> None:
        runpy.run_path(str(program.resolve()), run_name="__main__")

    async def main() -> None:
        # set_mocks makes a root stack of its own unless there is one; run_in_stack makes the real one.
        settings.ROOT.set(object())  # type: ignore[arg-type]
        mocks.set_mocks(_Functions(provider), project=project, stack=stack, preview=False, monitor=monitor)
        settings.ROOT.set(None)
        set_all_config(dict(config), list(secrets))
        with _working_in(program.resolve().parent):
            await run_in_stack(run)

    asyncio.run(main())
    _refuse_missing_outputs("the exports", monitor.exports)
    return Deployment(tuple(monitor.created.values()), monitor.exports)


_has_run = False


@contextlib.contextmanager
def _working_in(folder: Path) -> Iterator[None]:
    sys.path.insert(0, str(folder))
    try:
        with contextlib.chdir(folder):
            yield
    finally:
        sys.path.remove(str(folder))


class _Functions(mocks.Mocks):
    """Provider functions; resources take the monitor's way."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        arguments = _plain(args.args)
        _refuse_missing_outputs(f"a call of {args.token}", arguments)
        return self.provider.invoke(args.token, arguments), []

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        raise ProgramError(f"{args.typ} {args.name}: reading existing resources isn't supported")


@dataclass
class _Registrations:
    """URNs taken so far; registrations come from several threads."""

    urns: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, urn: str) -> None:
        with self.lock:
            if urn in self.urns:
                raise ProgramError(f"duplicate resource URN {urn}: give one of the two another name")
            self.urns.add(urn)


class _Monitor(mocks.MockMonitor):
    """The engine's side of the conversation with the program."""

    def __init__(self, provider: Provider) -> None:
        super().__init__(_Functions(provider))
        self.provider = provider
        self.registrations = _Registrations()
        self.created: dict[str, Resource] = {}
        self.exports: dict[str, Any] = {}

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        """As the engine: the types of all parents but the stack, joined by `$`."""
        parent_type = parent.split("::")[2] if parent else _STACK_TYPE
        qualified = type_ if parent_type == _STACK_TYPE else f"{parent_type}${type_}"
        return f"urn:pulumi:{settings.get_stack()}::{settings.get_project()}::{qualified}::{name}"

    def RegisterResource(  # noqa: N802 (named by the engine's protocol)
        self, request: resource_pb2.RegisterResourceRequest
    ) -> resource_pb2.RegisterResourceResponse:
        urn = self.make_urn(request.parent, request.type, request.name)
        self.registrations.take(urn)
        if request.type == _STACK_TYPE:
            return resource_pb2.RegisterResourceResponse(urn=urn)
        inputs = _plain(rpc.deserialize_properties(request.object))
        _refuse_missing_outputs(f"{request.type} {request.name}", inputs)
        id_, outputs = self._create(request, inputs)
        self.created[urn] = Resource(
            urn=urn,
            type=request.type,
            name=request.name,
            inputs=inputs,
            id=id_,
            outputs=outputs,
            parent=request.parent,
            custom=request.custom,
            protect=request.protect,
            retain_on_delete=request.retainOnDelete,
            dependencies=tuple(sorted(request.dependencies)),
        )
        answer = outputs | _placeholders(request.type, request.name, outputs) if request.custom else outputs
        return resource_pb2.RegisterResourceResponse(
            urn=urn, id=id_, object=_sync_await(rpc.serialize_properties(answer, {}))
        )

    def _create(
        self, request: resource_pb2.RegisterResourceRequest, inputs: dict[str, Any]
    ) -> tuple[str, dict[str, Any]]:
        if not request.custom:
            return "", {}
        if request.type.startswith("pulumi:providers:"):
            return request.name, inputs
        try:
            id_, outputs = self.provider.create(request.type, request.name, dict(inputs))
        except Exception as error:
            error.add_note(f"while creating {request.type} {request.name}")
            raise
        return id_, inputs | outputs

    def RegisterResourceOutputs(  # noqa: N802
        self, request: resource_pb2.RegisterResourceOutputsRequest
    ) -> Any:
        outputs = _plain(rpc.deserialize_properties(request.outputs))
        if f"::{_STACK_TYPE}::" in request.urn:
            self.exports.update(outputs)
        else:
            _refuse_missing_outputs(request.urn, outputs)
            self.created[request.urn].outputs.update(outputs)
        return super().RegisterResourceOutputs(request)  # type: ignore[no-untyped-call]


def _plain(value: Any) -> Any:
    """Unwraps secrets at any depth and turns whole floats (protobuf has no other number) into int."""
    if rpc.is_rpc_secret(value):
        return _plain(rpc.unwrap_rpc_secret(value))
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _placeholders(type_: str, name: str, outputs: Mapping[str, Any]) -> dict[str, str]:
    """A text that can be found again, for each text output that AWS always has and the provider left out."""
    for resource_class in pulumi.CustomResource.__subclasses__():
        if get_type_token(resource_class) == type_:
            declared = _types.resource_types(resource_class)
            return {
                output: f"{_MISSING}{output} of {type_} {name}>"
                for output, output_type in declared.items()
                if output_type is str and outputs.get(output) is None
            }
    return {}


def _refuse_missing_outputs(user: str, value: Any) -> None:
    if isinstance(value, str) and _MISSING in value:
        start = value.index(_MISSING) + len(_MISSING)
        missing = value[start:].split(">")[0]
        raise ProgramError(f"{user} uses an output that the provider didn't supply: {missing}")
    if isinstance(value, Mapping):
        for item in value.values():
            _refuse_missing_outputs(user, item)
    elif isinstance(value, list):
        for item in value:
            _refuse_missing_outputs(user, item)
